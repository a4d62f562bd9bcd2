import type { RunSummary } from '@coppice/protocol';
import { anyText, mutated, sampleDown, sampleTask } from '@coppice/protocol/testing';
import fc from 'fast-check';
import { beforeEach, expect, it, vi } from 'vitest';

/* What this browser remembers may have been written by another version of the page, or by a person. */

const kept = new Map<string, string>();
beforeEach(() => {
  kept.clear();
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  });
  return () => vi.unstubAllGlobals();
});

const [run] = sampleDown.welcome.runs as [RunSummary];
const { model: _model, planDefaults: _defaults, ...about } = sampleTask;
const size = { parameters: 7, trainable: 5, frozen: 1 };
const task = { ...about, builtIn: false, centralEvaluation: false, ...size, plan: { seed: 1 } };
const consent = {
  version: 2,
  run: run.id,
  task: 'flowers',
  title: 'a',
  operator: 'b',
  origin: 'c',
  agreedAt: 1,
  language: 'en',
  statements: ['x'],
};

const stored = (...valid: unknown[]) =>
  fc.oneof(
    anyText,
    mutated(...valid).map((value) => JSON.stringify(value) ?? ''),
    fc.json(),
  );

it('a run last seen is one, or none', async () => {
  const { lastSeenIn } = await import('../offline/last-seen.ts');
  expect(lastSeenIn({ run, task })).toBe(true);
  fc.assert(
    fc.property(mutated({ run, task }), (value) => {
      if (value === null || !lastSeenIn(value)) return;
      // What the page shows of it before there is a coordinator.
      expect(
        [value.run.title.en, value.task.title.en, value.task.data.kind].every(
          (text) => typeof text === 'string',
        ),
      ).toBe(true);
      expect(value.run.task).toBe(value.task.id);
    }),
    { numRuns: 1000 },
  );
});

it('any text is a value of the kind that is kept, or the first value', async () => {
  const { remembered, isBoolean } = await import('./remembered.ts');
  fc.assert(
    fc.property(stored(true, 1), (text) => {
      kept.set('coppice.a-switch', text);
      expect(remembered('a-switch', true, isBoolean).value.value).toBeTypeOf('boolean');
    }),
    { numRuns: 500 },
  );
});

it('an agreement is in force as it was made, or not', async () => {
  const { consentTo, receipt, CONSENT_VERSION } = await import('../consent/consent.ts');
  fc.assert(
    fc.property(
      mutated({ [run.id]: { ...consent, version: CONSENT_VERSION } }),
      fc.constantFrom(run.id, '__proto__', 'toString', 'constructor'),
      (value, id) => {
        if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
        const found = consentTo(id, value as never);
        if (found !== null) expect(() => receipt(found)).not.toThrow();
      },
    ),
    { numRuns: 1000 },
  );
});

it('an address names a run or none', async () => {
  const { linkedRun } = await import('../run/chosen-run.ts');
  fc.assert(
    fc.property(anyText, (search) => {
      const named = linkedRun(search);
      expect(named === null || typeof named === 'string').toBe(true);
    }),
  );
});
