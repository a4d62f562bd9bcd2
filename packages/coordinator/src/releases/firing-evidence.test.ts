import type { TriggerReason, TriggerRule } from '@coppice/continuity';
import type { FiringOutcome } from '@coppice/protocol';
import { describe, expect, it } from 'vitest';
import { newFiring, testPolicy } from '../storage/firing.testing.ts';
import type { StoredFiring } from '../storage/firing-storage.ts';
import {
  alarmBehind,
  alarmSince,
  lastLaunch,
  numberInQuarter,
  periodAt,
  quarterOf,
  spentIn,
} from './firing-evidence.ts';

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

describe('the examples behind alarms', () => {
  const length = 100;
  const floor = { error: 0.3, raise: 1 };
  const rule: TriggerRule = { ...(testPolicy.trigger as TriggerRule), floor };
  /** Periods that began at 1000, 1100 and so on. */
  const periods = Array.from({ length: 4 }, (_, number) => ({
    period: number,
    startedAt: 1000 + number * length,
    endedAt: 1100 + number * length,
    observations: 9,
    release: 1,
    verdict: null,
  }));
  const since = (causes: TriggerReason[], change: Partial<Parameters<typeof alarmSince>[2]> = {}) =>
    alarmSince(causes, rule, { periods, production: 1, releasedAt: 500, length, ...change });
  const alarms = (row: number) => since([{ cause: 'drift', periods: row }]);

  it('begin with the predictions that the first alarm is about: a period before they were reported', () => {
    expect([alarms(1), alarms(2), alarms(4)]).toEqual([1200, 1100, 900]);
    expect(since([{ cause: 'drift', periods: 4 }], { releasedAt: 950 })).toBe(950);
  });

  it('begin, of high errors, where these rose, and are not dated where they did not', () => {
    const { error } = floor;
    /** Intervals of errors in the four periods; above the floor from `high` on. */
    const of = (...lows: (number | null)[]) =>
      periods.map((one, i) => {
        const low = lows[i] ?? null;
        const errors = low === null ? null : ([low, low + 0.1] as const);
        return { ...one, verdict: { period: one.period, drift: false, quality: false, errors } };
      });
    const high = (...lows: (number | null)[]) =>
      since([{ cause: 'floor', error: 0.5 }], { periods: of(...lows) });
    const [low, above] = [error - 0.1, error + 0.05];
    expect(high(low, low, above, above)).toBe(1100);
    expect(high(low, above, null, above)).toBe(1000);
    // It went up by less than the intervals tell apart, or was as high all the time.
    expect(high(above - 0.06, above - 0.06, above, above)).toBeNull();
    expect(high(above, above, above, above)).toBeNull();
    // It rose step by step.
    expect(high(low - 0.1, above - 0.06, above, above)).toBe(1100);
    // What was before is of another model.
    const other = of(low, low, above, above).map((one, i) => (i < 2 ? { ...one, release: 0 } : one));
    expect(since([{ cause: 'floor', error: 0.5 }], { periods: other })).toBeNull();
  });

  it('are not dated by other causes', () => {
    for (const cause of [
      { cause: 'by-hand' },
      { cause: 'schedule', due: 7 },
      { cause: 'new-examples', examples: 7 },
    ] satisfies TriggerReason[]) {
      expect(since([cause])).toBeNull();
      expect(since([cause, { cause: 'drift', periods: 1 }])).toBe(1200);
    }
  });
});

describe('the alarm behind a checkpoint', () => {
  const drift = [{ cause: 'drift', periods: 1 }];
  const schedule = [{ cause: 'schedule', due: 7 }];
  /** The firing so many, which began from the checkpoint of another one and made its own. */
  const made = (
    sequence: number,
    from: number,
    causes: TriggerReason[] | object[],
    outcome: FiringOutcome = 'released',
  ) =>
    firing(sequence, {
      outcome,
      causes: causes as StoredFiring['causes'],
      candidate: `toy-${sequence}/2`,
      production: `toy-${from}/2`,
      since: 1000 * sequence,
    });
  const behind = async (checkpoint: string | null, ...oldestFirst: StoredFiring[]) => {
    const all = oldestFirst.toReversed();
    // Pages of one.
    const found = await alarmBehind(checkpoint, async (before) =>
      all.filter(({ sequence }) => before === null || sequence < before).slice(0, 1),
    );
    return found?.since ?? null;
  };

  it('is the newest firing for drift or high errors among those that the checkpoint descends from', async () => {
    const chain = [made(2, 1, drift), made(3, 2, drift), made(4, 3, schedule), made(5, 4, schedule)];
    expect(await behind('toy-5/2', ...chain)).toBe(3000);
    expect(await behind('toy-2/2', ...chain)).toBe(2000);
    expect(await behind('toy-6/2', ...chain, made(6, 5, [{ cause: 'floor', error: 0.5 }]))).toBe(6000);
    expect(await behind('toy-9/2', ...chain)).toBeNull();
    expect(await behind(null, ...chain)).toBeNull();
  });

  it('is none that was not released, was taken back, or is no part of the chain', async () => {
    expect(await behind('toy-2/2', made(2, 1, schedule), made(3, 2, drift, 'refused'))).toBeNull();
    expect(await behind('toy-2/2', made(2, 1, schedule), made(3, 2, drift))).toBeNull();
    expect(await behind('toy-4/2', made(2, 1, drift), made(3, 2, drift), made(4, 2, schedule))).toBe(2000);
    expect(await behind('toy-1/1')).toBeNull();
  });
});
