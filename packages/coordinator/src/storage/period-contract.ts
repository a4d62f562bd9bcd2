import type { DriftVerdict, WatchedPeriod } from '@coppice/protocol';
import { expect, it } from 'vitest';
import { PERIODS_A_PAGE, type PeriodStorage } from './period-storage.ts';

const shift = { effect: 0.02, interval: [-0.01, 0.05] as [number, number], p: 0.25, effective: null };
const result = { ...shift, bound: 0.1, alarm: false, participants: 20 };
const verdict: DriftVerdict = {
  participants: 20,
  observations: 2000,
  drift: {
    alarm: false,
    tested: 1,
    suppressed: 2,
    results: [
      {
        ...result,
        role: 'input',
        name: '年龄',
        adjusted: 0.5,
        distance: null,
        reference: [0.5],
        current: [1],
      },
    ],
  },
  quality: {
    alarm: true,
    tested: 1,
    suppressed: 0,
    results: [{ ...result, name: 'age', fault: 'missing', reference: 0, current: 0.125, alarm: true }],
  },
  errors: { rate: 0.1, interval: [0, 0.2], participants: 7, warned: 0.5 },
};

const period = (number: number, given: Partial<WatchedPeriod> = {}): WatchedPeriod => ({
  task: 'toy',
  period: number,
  reference: 'ab'.repeat(32),
  startedAt: 1_760_000_000_000 + number,
  endedAt: 1_760_086_400_000 + number,
  reports: 20,
  release: 4,
  noise: 0.1 + 0.2,
  verdict,
  sums: { reports: [20], shares: [12.25, 7.75], 缺失: [2 ** -24] },
  ...given,
});

/** The part of `storageContract` for periods of monitored tasks. */
export function periodContract(open: () => PeriodStorage): void {
  it('knows no period of a task that was not watched', async () => {
    expect(await open().periods('toy')).toEqual([]);
  });

  it('keeps periods of each task, as they were, newest first', async () => {
    const storage = open();
    const few = period(9, { reports: 1, sums: null, verdict: null });
    for (const one of [period(2), period(0), few, period(3, { task: 'other' })]) await storage.addPeriod(one);
    expect(await storage.periods('toy')).toEqual([few, period(2), period(0)]);
    expect(await storage.periods('toy', { before: 9, limit: 1 })).toEqual([period(2)]);
    expect(await storage.periods('toy', { before: 0 })).toEqual([]);
  });

  it('keeps the first of two ends of a period', async () => {
    const storage = open();
    await storage.addPeriod(period(1));
    await storage.addPeriod(period(1, { reports: 3, sums: null, verdict: null }));
    expect(await storage.periods('toy')).toEqual([period(1)]);
  });

  it('gives a page at a time', async () => {
    const storage = open();
    for (let n = 0; n <= PERIODS_A_PAGE; n++)
      await storage.addPeriod(period(n, { sums: null, verdict: null }));
    const first = await storage.periods('toy');
    expect(first.map((one) => one.period)).toEqual(
      Array.from({ length: PERIODS_A_PAGE }, (_, i) => PERIODS_A_PAGE - i),
    );
    expect(await storage.periods('toy', { before: 1 })).toHaveLength(1);
  });
}
