import { expect, it } from 'vitest';
import { noisy } from './population.testing.ts';
import { errorRateOf, rateOf, type Sums, spreadOf } from './sums.ts';

/** Two of five participants have a share of 1, the others of 0. */
const sums: Sums = new Map(
  Object.entries({
    reports: [5],
    present: [5],
    inverse: [0.5],
    shares: [2, 3],
    squares: [2, 3],
    missing: [2],
    'missing-squares': [2],
    'missing-inverse': [0.25],
    labelled: [5],
    errors: [2],
    'errors-square': [2],
  }).map(([name, values]) => [name, Float64Array.from(values)]),
);
const watched = { role: 'input', name: 'x', ordered: true, bins: 2, at: 0, ofModel: false } as const;

it('the mean of a share has the variance of a sample mean', () => {
  // 0.24 · 5/4 is the variance of one participant's share.
  const rate = { share: 0.4, variance: 0.3 / 5, participants: 5 };
  expect(rateOf(sums, 'missing', 0)).toEqual({ ...rate, within: 0.25 / 25 });
  expect(errorRateOf(sums)).toEqual({ ...rate, within: 0 });
  expect(spreadOf(sums, watched, 0)).toEqual({
    shares: [0.4, 0.6],
    variances: [0.3 / 5, 0.3 / 5],
    within: 0.5 / 25,
    participants: 5,
  });
});

it('noise leaves the estimate of that variance right on average', () => {
  const deviation = 0.3;
  const draws = 40_000;
  let sum = 0;
  for (let i = 0; i < draws; i++) {
    const drawn = new Map(noisy(new Map([...sums].slice(5, 7)), deviation, i));
    sum += rateOf(new Map([...sums, ...drawn]), 'missing', 0, deviation ** 2).variance;
  }
  // Without its correction, it would be too small by 1.5 %.
  expect(Math.abs(sum / draws / (0.3 / 5) - 1)).toBeLessThan(0.005);
});

it('of no participants, or of one, nothing varies', () => {
  expect(rateOf(new Map(), 'outside', 0)).toEqual({ share: 0, variance: 0, within: 0, participants: 0 });
  const one: Sums = new Map([...sums, ['reports', Float64Array.of(1)], ['missing', Float64Array.of(1)]]);
  expect(rateOf(one, 'missing', 0)).toMatchObject({ share: 1, variance: 0, participants: 1 });
});
