import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventOf, roundOf, runOf } from './fixtures.ts';
import {
  EVENTS_KEPT,
  emptyState,
  withEvent,
  withParticipants,
  withRounds,
  withRun,
  withSnapshot,
} from './store.ts';

const shuffled = <T>(items: readonly T[]) =>
  fc.shuffledSubarray([...items], { minLength: items.length, maxLength: items.length });

describe('events', () => {
  it('are kept once and in order, whatever order and however often they come', () => {
    const ids = fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(
        ids.chain((list) => fc.tuple(fc.constant(list), shuffled([...list, ...list.slice(0, 5)]))),
        ([list, arriving]) => {
          const state = arriving.reduce((before, id) => withEvent(before, eventOf({ id })), emptyState);
          expect(state.events.map(({ id }) => id)).toEqual(list.toSorted((a, b) => a - b));
        },
      ),
    );
  });

  it('are dropped from the old end when there are too many', () => {
    let state = emptyState;
    for (let id = 1; id <= EVENTS_KEPT + 3; id++) state = withEvent(state, eventOf({ id }));
    expect(state.events).toHaveLength(EVENTS_KEPT);
    expect(state.events[0]?.id).toBe(4);
  });

  it('of a new snapshot join those already there', () => {
    const before = withEvent(withEvent(emptyState, eventOf({ id: 3 })), eventOf({ id: 4 }));
    const snapshot = {
      now: 5000,
      operator: 'Riverside School',
      client: 'http://localhost/',
      runs: [runOf()],
      events: [eventOf({ id: 4 }), eventOf({ id: 5 })],
    };
    const after = withSnapshot(before, snapshot, 1000);
    expect(after.events.map(({ id }) => id)).toEqual([3, 4, 5]);
    expect(after.clockOffset).toBe(4000);
    expect([...after.runs.keys()]).toEqual(['iris-1']);
  });
});

describe('rounds', () => {
  const central = { loss: 0.5, accuracy: 0.8, examples: 30 };
  const lives = (round: number, attempt: number) => [
    roundOf({ round, attempt, outcome: 'open', endedAt: null, checkpoint: null }),
    roundOf({ round, attempt, central }),
    roundOf({ round, attempt, central, federated: central }),
  ];

  it('end up the same in any order: the last word on each round and attempt, sorted', () => {
    const all = [lives(1, 1), lives(1, 2), lives(2, 1), lives(10, 1)].flat();
    fc.assert(
      fc.property(shuffled(all), fc.integer({ min: 0, max: all.length }), (arriving, cut) => {
        const live = arriving
          .slice(0, cut)
          .reduce((s, round) => withRounds(s, 'iris-1', [round]), emptyState);
        const state = withRounds(live, 'iris-1', arriving.slice(cut));
        const rounds = state.rounds.get('iris-1') ?? [];
        expect(rounds.map(({ round, attempt }) => [round, attempt])).toEqual([
          [1, 1],
          [1, 2],
          [2, 1],
          [10, 1],
        ]);
        expect(rounds.every(({ federated }) => federated !== null)).toBe(true);
      }),
    );
  });

  it('that are open are replaced by newer news of them', () => {
    const open = roundOf({ outcome: 'open', accepted: 0 });
    const state = withRounds(emptyState, 'iris-1', [open, { ...open, accepted: 2 }]);
    expect(state.rounds.get('iris-1')?.[0]?.accepted).toBe(2);
  });
});

describe('runs and participants', () => {
  it('replace what was known of the same run and leave others alone', () => {
    const two = withRun(withRun(emptyState, runOf()), runOf({ id: 'iris-2' }));
    const next = withParticipants(withRun(two, runOf({ round: 4 })), { run: 'iris-2', rows: [] });
    expect(next.runs.get('iris-1')?.round).toBe(4);
    expect(next.runs.get('iris-2')).toBe(two.runs.get('iris-2'));
    expect(next.participants.get('iris-2')).toEqual([]);
    expect(two.runs.get('iris-1')?.round).toBe(0);
  });
});
