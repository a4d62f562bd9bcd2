import { expect, it } from 'vitest';
import { ending } from '../session-world.ts';
import { afterRound, withMetrics } from './round-ends.ts';

const before = { accepted: 4, outcomes: [] };
const reason = { code: 'quorum-lost', message: 'Too few answers came.', retry: 'later' } as const;

it('counts an answer that is part of a model', () => {
  expect(afterRound(before, ending(1), false).accepted).toBe(5);
  expect(afterRound(before, ending(1, { you: 'late' }), false).accepted).toBe(4);
  const abandoned = ending(1, { outcome: 'abandoned', reason });
  expect(afterRound(before, abandoned, false)).toMatchObject({ accepted: 4, error: reason });
});

it('shows no reason of a round in place of the fault of this device', () => {
  const after = afterRound(before, ending(1, { outcome: 'abandoned', reason, you: 'declined' }), true);
  expect(after).not.toHaveProperty('error');
  expect(after.outcomes).toEqual([{ round: 1, outcome: 'declined', reason }]);
});

it('keeps the last 200 outcomes', () => {
  let state = afterRound(before, ending(1), false);
  for (let round = 2; round <= 201; round++) state = afterRound(state, ending(round), false);
  expect(state.outcomes).toHaveLength(200);
  expect([state.outcomes.at(0)?.round, state.outcomes.at(-1)?.round]).toEqual([2, 201]);
});

it('has one measurement of a round', () => {
  const metrics = (loss: number) => ({ loss, accuracy: null, examples: 3 });
  const first = withMetrics([], { round: 0, metrics: metrics(2) });
  const second = withMetrics(first, { round: 1, metrics: metrics(1) });
  expect(withMetrics(second, { round: 0, metrics: metrics(3) })).toEqual([
    { round: 1, metrics: metrics(1) },
    { round: 0, metrics: metrics(3) },
  ]);
});
