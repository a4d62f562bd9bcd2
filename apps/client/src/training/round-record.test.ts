import { describe, expect, it } from 'vitest';
import { acceptedRounds, noteCentral } from './round-record.ts';

const metrics = (accuracy: number) => ({ loss: 1, accuracy, examples: 10 });

describe('noteCentral', () => {
  it('keeps one measurement a round, in order, of one run', () => {
    let record = noteCentral(null, 'a', 2, metrics(0.2));
    record = noteCentral(record, 'a', 1, metrics(0.1));
    record = noteCentral(record, 'a', 2, metrics(0.3));
    expect(record.rounds.map(({ round, metrics: { accuracy } }) => [round, accuracy])).toEqual([
      [1, 0.1],
      [2, 0.3],
    ]);
    expect(noteCentral(record, 'b', 0, metrics(0)).rounds).toHaveLength(1);
  });
});

describe('acceptedRounds', () => {
  it('counts what was accepted and nothing else', () => {
    const outcomes = [
      { round: 1, outcome: 'accepted', reason: null },
      { round: 2, outcome: 'late', reason: null },
      { round: 3, outcome: null, reason: null },
    ] as const;
    expect([...acceptedRounds(outcomes)]).toEqual([1]);
  });
});
