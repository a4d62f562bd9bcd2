import { beforeEach, expect, it, vi } from 'vitest';

const stored = new Map<string, string>();
beforeEach(() => {
  stored.clear();
  vi.stubGlobal('localStorage', {
    getItem: (name: string) => stored.get(name) ?? null,
    setItem: (name: string, value: string) => void stored.set(name, value),
  });
  vi.resetModules();
});

it('keeps labels by task and columns, and finds them after a reload', async () => {
  const first = await import('./kept-labels.ts');
  first.keepLabels('fruit', ['length', 'kind'], { Apfel: 'apple', Kern: null });
  vi.resetModules();
  const { keptLabels } = await import('./kept-labels.ts');
  expect(keptLabels('fruit', ['length', 'kind'])).toEqual({ Apfel: 'apple', Kern: null });
  expect(keptLabels('fruit', ['kind', 'length'])).toEqual({});
  expect(keptLabels('seeds', ['length', 'kind'])).toEqual({});
});

it('forgets the oldest of more than twenty, and nothing of what is damaged breaks the page', async () => {
  const { keepLabels, keptLabels } = await import('./kept-labels.ts');
  for (let at = 0; at < 21; at++) keepLabels('fruit', [`c${at}`], { a: `${at}` });
  expect([keptLabels('fruit', ['c0']), keptLabels('fruit', ['c20'])]).toEqual([{}, { a: '20' }]);
  vi.resetModules();
  stored.set('coppice.labels', '[{"key": 1}]');
  const again = await import('./kept-labels.ts');
  expect(again.keptLabels('fruit', ['c20'])).toEqual({});
});
