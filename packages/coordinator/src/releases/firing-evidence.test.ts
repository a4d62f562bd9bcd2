import type { FiringOutcome } from '@coppice/protocol';
import { expect, it } from 'vitest';
import { newFiring } from '../storage/firing.testing.ts';
import type { StoredFiring } from '../storage/firing-storage.ts';
import { lastLaunch, numberInQuarter, periodAt, quarterOf, spentIn } from './firing-evidence.ts';

const firing = (sequence: number, change: Partial<StoredFiring> = {}): StoredFiring => ({
  ...newFiring({ state: 'ended', period: 10 * sequence }),
  sequence,
  revision: 5,
  ...change,
});

/** Firings with these outcomes, the newest first. */
const ended = (...outcomes: FiringOutcome[]) =>
  outcomes.map((outcome, at) => firing(outcomes.length - at, { outcome }));

it('begins a quarter with January, April, July and October, in UTC', () => {
  const times = [
    '2025-12-31T23:59:59Z',
    '2026-01-01T00:00:00Z',
    '2026-03-31T23:59:59Z',
    '2026-04-01T00:00:00Z',
    '2026-07-01T00:00:00Z',
    '2026-10-01T00:00:00Z',
  ].map((time) => quarterOf(Date.parse(time)));
  expect(times.map((quarter) => quarter - (times[0] as number))).toEqual([0, 1, 1, 2, 3, 4]);
  expect(quarterOf(0)).toBe(0);
});

it('numbers a candidate among those that were compared in its quarter', () => {
  const compared = (time: string) => ({
    comparison: {
      startedAt: Date.parse(time),
      candidate: 1,
      participants: 9,
      decision: 'refuse' as const,
      reasons: [],
    },
  });
  const before = [
    firing(4),
    firing(3, compared('2026-04-02T00:00Z')),
    firing(2, compared('2026-04-01T00:00Z')),
    firing(1, compared('2026-03-31T23:00Z')),
  ];
  expect(numberInQuarter(before, Date.parse('2026-06-30T23:00Z'))).toBe(3);
  expect(numberInQuarter(before, Date.parse('2026-07-01T00:00Z'))).toBe(1);
  expect(numberInQuarter([], 0)).toBe(1);
});

it('counts launches in a row without a release, but none that an admin overtook', () => {
  expect(lastLaunch([])).toBeNull();
  expect(lastLaunch(ended('released', 'refused'))).toEqual({
    period: 20,
    released: true,
    failures: 0,
    refused: false,
  });
  expect(lastLaunch(ended('refused', 'run-paused', 'released', 'refused'))).toEqual({
    period: 40,
    released: false,
    failures: 2,
    refused: true,
  });
  expect(lastLaunch(ended('overtaken', 'rolled-back', 'overtaken'))).toMatchObject({
    released: false,
    failures: 1,
  });
});

it('adds up what launches of the last periods cost, as far as it is known', () => {
  const spent = (rounds: number, bytes: number | null) => ({
    spent: { rounds, bytes, deviceSeconds: null, epsilon: null },
  });
  const all = [firing(3, spent(5, null)), firing(2, spent(3, 100)), firing(1, spent(50, 1000))];
  expect(spentIn(all, { after: 10 })).toEqual({
    rounds: 8,
    bytes: 100,
    deviceSeconds: null,
    epsilon: null,
  });
  expect(spentIn(all, { after: 9 })).toMatchObject({ rounds: 58, bytes: 1100 });
  expect(spentIn([firing(1, { ...spent(2, 1), period: null })], { after: -2 }).rounds).toBe(2);
});

it('counts periods by the time where none are stored', () => {
  expect(periodAt(2500, { at: 500, period: 7 }, 1000)).toBe(9);
  expect(periodAt(2499, { at: 500, period: null }, 1000)).toBe(0);
  // The date may be set back.
  expect(periodAt(0, { at: 500, period: 7 }, 1000)).toBe(7);
});
