import { normal, seededRandom, uniform } from '@coppice/ports';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Adwin, type AdwinState, AdwinStateSchema } from './adwin.ts';
import { PageHinkley, PageHinkleyStateSchema } from './page-hinkley.ts';

/* Published alarms of both detectors are in `fixtures`, which test/vectors runs. */

/** Without −0, which JSON writes as 0. */
const value = fc.double({ min: -2, max: 2, noNaN: true }).map((drawn) => drawn + 0);
const values = fc.array(value, { minLength: 1, maxLength: 300 });
const json = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe.each([
  [
    'ADWIN',
    (state?: unknown) =>
      new Adwin({ clock: 4 }, state === undefined ? undefined : AdwinStateSchema.parse(state)),
  ],
  [
    'Page–Hinkley',
    (state?: unknown) =>
      new PageHinkley(
        { threshold: 3, minInstances: 10 },
        state === undefined ? undefined : PageHinkleyStateSchema.parse(state),
      ),
  ],
] as const)('%s', (_, make) => {
  it('goes on from its state, read from JSON, as it would have', () => {
    fc.assert(
      fc.property(values, fc.nat(300), (stream, cut) => {
        const whole = make();
        const alarms = stream.map((value) => whole.update(value));
        const first = make();
        const before = stream.slice(0, cut).map((value) => first.update(value));
        const second = make(json(first.state()));
        const after = stream.slice(cut).map((value) => second.update(value));
        expect([...before, ...after]).toEqual(alarms);
        expect(second.state()).toEqual(whole.state());
      }),
    );
  });

  it('starts as new after an alarm', () => {
    const detector = make();
    const jump = [...new Array<number>(64).fill(0), ...new Array<number>(64).fill(2)];
    const at = jump.findIndex((value) => detector.update(value));
    expect(at).toBeGreaterThan(63);
    const fresh = make();
    for (const value of [1, 0, 1]) expect(detector.update(value)).toBe(fresh.update(value));
    expect(detector.state()).toEqual(fresh.state());
  });

  it('refuses what is no number, and stays as it was', () => {
    const detector = make();
    detector.update(1);
    const before = detector.state();
    expect(() => detector.update(Number.NaN)).toThrow(RangeError);
    expect(() => detector.update(Number.POSITIVE_INFINITY)).toThrow(RangeError);
    expect(detector.state()).toEqual(before);
  });
});

it('ADWIN keeps the sums of its window in a few buckets of any size', () => {
  const random = seededRandom('adwin');
  const detector = new Adwin();
  const kept: number[] = [];
  for (let i = 0; i < 20_000; i++) {
    const value = 100_000 + normal(random);
    kept.push(value);
    detector.update(value);
  }
  const window = kept.slice(-detector.width);
  const mean = window.reduce((sum, value) => sum + value, 0) / window.length;
  expect(detector.width).toBe(20_000);
  expect(detector.mean).toBeCloseTo(mean, 8);
  expect(detector.squares / window.reduce((sum, value) => sum + (value - mean) ** 2, 0)).toBeCloseTo(1, 8);
  const buckets = (detector.state() as AdwinState).rows.flat().length;
  expect(buckets).toBeLessThanOrEqual(5 * Math.ceil(Math.log2(20_000)));
});

it('clamped Page–Hinkley is a CUSUM of deviations from the running mean', () => {
  const random = seededRandom('cusum');
  const stream = Array.from({ length: 2000 }, (_, i) => Number(uniform(random) < (i < 1000 ? 0.2 : 0.5)));
  const [delta, threshold] = [0.01, 20];
  const alarms: number[] = [];
  let [count, sum, cusum] = [0, 0, 0];
  for (const [i, value] of stream.entries()) {
    sum += value;
    count++;
    cusum = Math.max(0, cusum + value - sum / count - delta);
    if (cusum <= threshold || count < 30) continue;
    alarms.push(i);
    [count, sum, cusum] = [0, 0, 0];
  }
  const detector = new PageHinkley({ delta, threshold, alpha: 1, mode: 'up', form: 'clamped' });
  expect([...stream.keys()].filter((i) => detector.update(stream[i] as number))).toEqual(alarms);
  expect(alarms.length).toBeGreaterThan(0);
});
