import type { Metrics, Plan } from '@coppice/protocol';
import { expect, it } from 'vitest';
import type { RoundStep } from './machine.ts';
import { makeModel } from './make-model.ts';
import { runParts } from './run-parts.testing.ts';
import type { RunOptions } from './run-state.ts';

/** A round of two that have answered, with steps of 1 (weight 1) and 4 (weight 2). */
async function collected(plan: Partial<Plan> = {}, changes: Partial<RunOptions> = {}) {
  const parts = runParts(plan, changes);
  const { open, exchange, closed } = parts.openRound(['a', 'b']);
  await exchange.take('a', parts.answerOf('a', open, [1, 1, 1], 1));
  await exchange.take('b', parts.answerOf('b', open, [4, 4, 4], 2));
  expect(closed).toEqual([{ outcome: 'enough' }]);
  const steps: RoundStep[] = [];
  const phase = { step: (step: RoundStep) => void steps.push(step) };
  const make = () => makeModel(open, parts.state, phase, parts.options);
  return { ...parts, open, exchange, steps, make };
}

const measured = (evaluate: (weights: Float32Array) => Promise<Metrics | null>): Partial<RunOptions> => ({
  models: { ...runParts().options.models, evaluate: (_task, weights) => evaluate(weights) },
});

it('makes the weighted mean of the answers, measures it, and leaves the current model as it is', async () => {
  const seen: number[][] = [];
  const { make, steps, state } = await collected(
    { rounds: 9 },
    measured(async (weights) => {
      seen.push([...weights]);
      return { loss: 0.25, accuracy: 0.75, examples: 4 };
    }),
  );
  const { next, central, last, packed, given } = await make();
  // [1, 2, 3] + (1 · 1 + 2 · 4) / 3
  expect([...next.weights]).toEqual([4, 5, 6]);
  expect(seen).toEqual([[4, 5, 6]]);
  expect(central).toEqual({ loss: 0.25, accuracy: 0.75, examples: 4 });
  expect(steps).toEqual(['aggregated', 'evaluated']);
  expect(last).toBe(false);
  expect(given).toEqual([]);
  expect(packed.exact.frame).not.toHaveLength(0);
  expect([...state.model.weights]).toEqual([1, 2, 3]);
});

it.each<[string, Partial<Plan>, number | null, boolean]>([
  ['the number of rounds is reached', { rounds: 1 }, 0.5, true],
  ['the accuracy aimed for is reached', { rounds: 9, targetAccuracy: 0.5 }, 0.5, true],
  ['the value of a measure is reached', { rounds: 9, targetMetric: 'accuracy', targetValue: 0.5 }, 0.5, true],
  ['the accuracy is below it', { rounds: 9, targetAccuracy: 0.6 }, 0.5, false],
  ['the accuracy is not measured', { rounds: 9, targetAccuracy: 0.5 }, null, false],
  ['nothing more is aimed for', { rounds: 9, targetAccuracy: null }, 1, false],
])('judges whether the round is the last: %s', async (_, plan, accuracy, last) => {
  const { make } = await collected(
    plan,
    measured(async () => ({ loss: 1, accuracy, examples: 1 })),
  );
  expect((await make()).last).toBe(last);
});

it('refuses a model that diverged, after it was aggregated', async () => {
  const { make, steps } = await collected(
    {},
    measured(async () => ({ loss: Number.NaN, accuracy: 0, examples: 1 })),
  );
  await expect(make()).rejects.toMatchObject({ code: 'training-diverged' });
  expect(steps).toEqual(['aggregated']);
});

it('stops before the next step where the round is over meanwhile', async () => {
  const { promise, resolve } = Promise.withResolvers<Metrics | null>();
  const begun = Promise.withResolvers<void>();
  const { make, steps, open } = await collected(
    {},
    measured(() => {
      begun.resolve();
      return promise;
    }),
  );
  const making = make();
  await begun.promise;
  open.over.abort();
  resolve(null);
  await expect(making).rejects.toMatchObject({ name: 'AbortError' });
  expect(steps).toEqual(['aggregated']);
});
