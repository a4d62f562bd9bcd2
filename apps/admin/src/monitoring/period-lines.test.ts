import { expect, it } from 'vitest';
import { summaryFixture } from './fixtures.ts';
import { joinPeriods, periodLines } from './period-lines.ts';

it('draws the worst of each period with its interval and its bound, oldest first, and gaps', () => {
  const { drift, errors } = periodLines([
    summaryFixture(3, { effect: 0.3, alarm: true }),
    summaryFixture(2, null),
    summaryFixture(1, { effect: 0.02, errors: 0.25 }),
  ]);
  expect(drift.value).toEqual([
    { x: 1, y: 0.02 },
    { x: 2, y: null },
    { x: 3, y: 0.3 },
  ]);
  expect(drift.lower.at(-1)).toEqual({ x: 3, y: 0.15 });
  expect(drift.upper.at(-1)).toEqual({ x: 3, y: 0.6 });
  expect(drift.bound.map(({ y }) => y)).toEqual([0.1, null, 0.1]);
  expect(errors.value.map(({ y }) => y)).toEqual([0.25, null, null]);
  expect(errors.upper[0]).toEqual({ x: 1, y: 0.5 });
});

it('joins pages that overlap, newest first', () => {
  const [one, two, three] = [1, 2, 3].map((number) => summaryFixture(number, null));
  if (one === undefined || two === undefined || three === undefined) throw new Error('three were made');
  expect(joinPeriods([two, one], [three, two])).toEqual([three, two, one]);
  expect(joinPeriods([], [one])).toEqual([one]);
});
