import { ManualClock } from '@coppice/ports';
import { expect, it } from 'vitest';
import { Retries } from './retries.ts';

it('pauses twice as long after each abandoned round in a row, up to the longest', () => {
  const retries = new Retries(new ManualClock());
  const waits = Array.from({ length: 8 }, (_, i) => retries.abandoned(i + 1, 'quorum-lost').wait);
  expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  expect(retries.attempt).toBe(9);
  retries.committed();
  expect(retries.attempt).toBe(1);
  expect(retries.abandoned(1, 'quorum-lost').wait).toBe(1000);
});

it('gives up after five rounds in a row that diverged, and after no number of others', () => {
  const retries = new Retries(new ManualClock());
  const gaveUp = (code: 'training-diverged' | 'quorum-lost') => retries.abandoned(1, code).giveUp;
  const diverged = () => gaveUp('training-diverged');
  expect([diverged(), diverged(), diverged(), diverged()]).toEqual([false, false, false, false]);
  for (let n = 0; n < 20; n++) expect(gaveUp('quorum-lost')).toBe(false);
  expect([diverged(), diverged(), diverged(), diverged(), diverged()]).toEqual([
    false,
    false,
    false,
    false,
    true,
  ]);
  retries.resumed();
  expect(diverged()).toBe(false);
});

it('goes on when the pause is over, unless it was stopped', () => {
  const clock = new ManualClock();
  const retries = new Retries(clock);
  let gone = 0;
  const go = () => {
    expect(retries.isPausing).toBe(false);
    gone++;
  };
  retries.pause(1000, go);
  expect(retries.isPausing).toBe(true);
  clock.advance(999);
  expect(gone).toBe(0);
  clock.advance(1);
  expect(gone).toBe(1);
  for (const end of ['stop', 'resumed'] as const) {
    retries.pause(1000, go);
    retries[end]();
    expect(retries.isPausing).toBe(false);
  }
  clock.advance(10_000);
  expect(gone).toBe(1);
});

it('begins with the attempt and the pauses that it is given', () => {
  const retries = new Retries(new ManualClock(), 4, { first: 10, longest: 15 });
  expect(retries.attempt).toBe(4);
  expect([1, 2, 3].map((attempt) => retries.abandoned(attempt, 'quorum-lost').wait)).toEqual([10, 15, 15]);
});
