import { describe, expect, it } from 'vitest';
import { eventOf } from '../live/fixtures.ts';
import { countByReason, reasonOf } from './refusals.ts';

const refused = (message: string, kind = 'update-refused') => eventOf({ kind, level: 'warning', message });

describe('reasonOf', () => {
  it('finds the code in the sentence', () => {
    expect(reasonOf(refused('An update for round 3 was refused (update-not-finite): it holds NaN.'))).toBe(
      'update-not-finite',
    );
    expect(reasonOf(refused('A participant could not train: training-diverged.', 'update-declined'))).toBe(
      'training-diverged',
    );
  });

  it('falls back to the kind, and leaves other events alone', () => {
    expect(reasonOf(refused('An update was refused by a well-known rule.'))).toBe('update-refused');
    expect(reasonOf(eventOf({ kind: 'round-abandoned', message: 'quorum-lost' }))).toBeNull();
  });
});

describe('countByReason', () => {
  it('puts the most frequent first', () => {
    const event = eventOf();
    const troubles = ['b', 'a', 'c', 'a', 'c'].map((reason) => ({ event, reason }));
    expect(countByReason(troubles)).toEqual([
      { reason: 'a', count: 2 },
      { reason: 'c', count: 2 },
      { reason: 'b', count: 1 },
    ]);
  });

  it('counts a row for as many events as it stands for', () => {
    const rows = [eventOf(), eventOf({ data: { participant: '0'.repeat(32), count: 41 } })];
    expect(countByReason(rows.map((event) => ({ event, reason: 'update-late' })))).toEqual([
      { reason: 'update-late', count: 42 },
    ]);
  });
});
