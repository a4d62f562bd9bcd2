import { describe, expect, it } from 'vitest';
import { noteRound, type RoundTimes, timeLeft } from './eta.ts';

function seen(...pairs: [round: number, at: number][]): RoundTimes {
  let times: RoundTimes | null = null;
  for (const [round, at] of pairs) times = noteRound(times, 'r', round, at);
  if (times === null) throw new Error('a test needs at least one round');
  return times;
}

describe('timeLeft', () => {
  it('knows nothing before a whole round was seen', () => {
    expect(timeLeft(null, 10, 0)).toBeNull();
    expect(timeLeft(seen([3, 1000]), 10, 5000)).toBeNull();
  });

  it('goes on as the rounds went', () => {
    expect(timeLeft(seen([0, 0], [1, 100], [2, 200]), 10, 200)).toBe(800);
  });

  it('counts down within a round, and never below the rounds that are still to come', () => {
    const times = seen([0, 0], [1, 100]);
    expect(timeLeft(times, 3, 140)).toBe(160);
    expect(timeLeft(times, 3, 1000)).toBe(100);
  });

  it('is nothing at the end', () => {
    expect(timeLeft(seen([0, 0], [5, 100]), 5, 150)).toBe(0);
  });

  it('counts rounds that passed while the page did not look', () => {
    expect(timeLeft(seen([2, 0], [6, 400]), 8, 400)).toBe(200);
  });
});

describe('noteRound', () => {
  it('keeps one entry a round, looks back a few, and starts anew for another run', () => {
    const times = seen([1, 10], [1, 20], [2, 30]);
    expect(times.seen).toEqual([
      { round: 1, at: 10 },
      { round: 2, at: 30 },
    ]);
    expect(noteRound(times, 'r', 2, 99)).toBe(times);
    expect(noteRound(times, 'other', 7, 99).seen).toEqual([{ round: 7, at: 99 }]);
    const long = seen(...Array.from({ length: 50 }, (_, i): [number, number] => [i, i * 10]));
    expect(long.seen.length).toBeLessThan(12);
    expect(long.seen.at(-1)).toEqual({ round: 49, at: 490 });
  });
});
