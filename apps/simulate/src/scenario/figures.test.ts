import { describe, expect, it } from 'vitest';
import { figuresOf, meanAccuracy } from './figures.ts';
import type { PlayedPeriod } from './play.ts';
import type { Change } from './scenario.ts';

type Alarms = Partial<NonNullable<PlayedPeriod['verdict']>>;

const period = (number: number, of: Partial<PlayedPeriod> & { alarms?: Alarms } = {}): PlayedPeriod => {
  const { alarms = {}, ...given } = of;
  return {
    period: number,
    accuracy: 0.9,
    bytes: 10,
    deviceSeconds: 0.5,
    rounds: 0,
    trained: 0,
    releases: 0,
    rollbacks: 0,
    refused: 0,
    verdict: { drift: false, quality: false, floor: false, ...alarms },
    ...given,
  };
};

const drift = (at: number): Change => ({ period: at, until: null, kind: 'drift' });
const scenario = (changes: Change[], periods = 12) => ({
  name: 'made up',
  changes,
  size: { participants: 1, periods, first: 1, each: 1 },
});
const periods = (count: number, of: (number: number) => Parameters<typeof period>[1] = () => ({})) =>
  Array.from({ length: count }, (_, at) => period(at + 1, of(at + 1)));
const played = (loop: PlayedPeriod[]) => ({
  loop,
  never: periods(loop.length),
  fixed: periods(loop.length, () => ({ bytes: 100, rounds: 2 })),
  newDataOnly: 0.87,
});

describe('the last line of --json', () => {
  it('has these fields, in this order', () => {
    const event = figuresOf(scenario([drift(5)]), played(periods(12)));
    const accuracy = ['before', 'worst', 'after', 'newDataOnly'];
    const four = ['accuracy', 'bytes', 'rounds', 'deviceSeconds'];
    expect(Object.keys(event)).toEqual([
      ...['event', 'name', 'drifts', 'noticed', 'delayPeriods', 'falseAlarms', 'quietPeriods'],
      ...four,
      ...['releases', 'rollbacks', 'baselines'],
    ]);
    expect(Object.keys(event.baselines)).toEqual(['never', 'fixed']);
    for (const figures of [event, event.baselines.never, event.baselines.fixed])
      expect(Object.keys(figures.accuracy)).toEqual(accuracy);
    for (const baseline of [event.baselines.never, event.baselines.fixed])
      expect(Object.keys(baseline)).toEqual(four);
    expect(JSON.parse(JSON.stringify(event))).toEqual(event);
  });

  it('adds up costs, releases and rollbacks', () => {
    const loop = periods(12, (at) =>
      at === 6 ? { rounds: 3, releases: 1 } : at === 8 ? { rollbacks: 1 } : {},
    );
    const event = figuresOf(scenario([]), played(loop));
    expect(event).toMatchObject({ bytes: 120, rounds: 3, deviceSeconds: 6, releases: 1, rollbacks: 1 });
    expect(event.baselines.fixed).toMatchObject({ bytes: 1200, rounds: 24 });
  });
});

describe('accuracy', () => {
  it('is told before the change, at the worst, and over the last sixth', () => {
    const shares = [0.9, 0.8, 0.9, 0.4, 0.3, 0.6, 0.7, 0.8, 0.8, 0.8, 0.82, 0.88];
    const event = figuresOf(
      scenario([drift(4)]),
      played(periods(12, (at) => ({ accuracy: shares[at - 1] as number }))),
    );
    expect(event.accuracy).toEqual({ before: 0.866667, worst: 0.3, after: 0.85, newDataOnly: 0.87 });
  });

  it('has a mean over all periods', () => {
    expect(meanAccuracy(periods(4, (at) => ({ accuracy: at / 10 })))).toBe(0.25);
  });
});

describe('alarms', () => {
  it('notice a change from the period after its first, in which its first report is judged', () => {
    const alarmedAt = (at: number) =>
      figuresOf(
        scenario([drift(5)]),
        played(periods(12, (one) => (one === at ? { alarms: { drift: true } } : {}))),
      );
    expect(alarmedAt(6)).toMatchObject({ drifts: 1, noticed: 1, delayPeriods: [2], falseAlarms: 0 });
    expect(alarmedAt(9)).toMatchObject({ noticed: 1, delayPeriods: [5], falseAlarms: 0 });
    // The verdict at the end of period 5 is on period 4.
    expect(alarmedAt(5)).toMatchObject({ noticed: 0, delayPeriods: [], falseAlarms: 1 });
  });

  it('are false again once a release has answered the change', () => {
    const loop = periods(12, (at) => ({
      alarms: { floor: at >= 6 && at <= 8, drift: at === 10 },
      releases: at === 7 ? 1 : 0,
    }));
    expect(figuresOf(scenario([drift(5)]), played(loop))).toMatchObject({
      noticed: 1,
      falseAlarms: 1,
      // Periods 1 to 5, and 9 to 12.
      quietPeriods: 9,
    });
  });

  it('of drift do not notice a fault of the data; those of quality do, until it is mended', () => {
    const fault: Change = { period: 4, until: 6, kind: 'fault' };
    const of = (alarms: (at: number) => Alarms) =>
      figuresOf(scenario([fault]), played(periods(12, (at) => ({ alarms: alarms(at) }))));
    expect(of((at) => ({ drift: at === 5 }))).toMatchObject({ noticed: 0, falseAlarms: 0 });
    expect(of((at) => ({ quality: at >= 5 && at <= 7 }))).toMatchObject({
      noticed: 1,
      delayPeriods: [2],
      falseAlarms: 0,
      quietPeriods: 9,
    });
    expect(of((at) => ({ quality: at === 8 }))).toMatchObject({ noticed: 0, falseAlarms: 1 });
  });

  it('are not looked for in periods without a verdict', () => {
    const loop = periods(12, (at) => (at <= 2 ? { verdict: null } : {}));
    expect(figuresOf(scenario([]), played(loop)).quietPeriods).toBe(10);
  });
});
