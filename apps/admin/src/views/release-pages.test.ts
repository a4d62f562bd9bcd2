import type { Release } from '@coppice/protocol';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { withPage } from './release-pages.ts';

const release = (sequence: number): Release => ({
  task: 'iris',
  sequence,
  channel: 'production',
  checkpoint: `iris-1/${sequence}`,
  hash: 'a'.repeat(64),
  before: null,
  undoes: null,
  at: sequence,
  by: { by: 'admin', name: 'Ada' },
  reason: 'r',
  evidence: null,
});
const down = (from: number, to: number) =>
  Array.from({ length: Math.max(0, from - to + 1) }, (_, at) => release(from - at));
const numbers = (releases: readonly Release[]) => releases.map(({ sequence }) => sequence);

it('joins pages that meet, and drops those that lie apart', () => {
  expect(numbers(withPage([], down(5, 3)))).toEqual([5, 4, 3]);
  expect(numbers(withPage(down(5, 3), []))).toEqual([5, 4, 3]);
  expect(numbers(withPage(down(5, 3), down(2, 1)))).toEqual([5, 4, 3, 2, 1]);
  expect(numbers(withPage(down(5, 3), down(7, 4)))).toEqual([7, 6, 5, 4, 3]);
  expect(numbers(withPage(down(5, 3), down(9, 7)))).toEqual([9, 8, 7]);
});

it('never leaves a gap, nor a move twice', () => {
  const page = fc
    .tuple(fc.nat({ max: 30 }), fc.nat({ max: 9 }))
    .map(([from, length]) => down(from + length, from + 1));
  fc.assert(
    fc.property(fc.array(page), (pages) => {
      const all = numbers(pages.reduce(withPage, []));
      for (const [at, sequence] of all.entries()) if (at > 0) expect(sequence).toBe((all[at - 1] ?? 0) - 1);
      const last = pages.findLast(({ length }) => length > 0) ?? [];
      expect(all).toEqual(expect.arrayContaining(numbers(last)));
    }),
  );
});
