import { describe, expect, it } from 'vitest';
import { compared, intervalOfMedian } from './bench/compare-pairs.ts';
import type { BenchResult } from './bench/result.ts';

const result = (...medians: number[]): BenchResult => ({
  name: 'a part',
  load: { before: 0, after: 0 },
  rows: medians.map((median, i) => ({ what: `row ${i}`, median, min: median, max: median, unit: 'ms' })),
  ratios: [],
});

describe('the interval of a median', () => {
  // Ranks from a table of the sign test, two-sided 95 %: n = 7: 1 and 7; 10: 2 and 9; 15: 4 and 12; 20: 6 and 15.
  it.each([
    [5, 1],
    [7, 1],
    [8, 1],
    [10, 2],
    [15, 4],
    [20, 6],
  ])('of %i values begins at the value of rank %i', (n, rank) => {
    const values = Array.from({ length: n }, (_, i) => n - i);
    expect(intervalOfMedian(values)).toEqual([rank, n + 1 - rank]);
  });
});

describe('a row in two checkouts', () => {
  const pairs = (ratios: readonly number[]) =>
    ratios.map((r) => ({ old: result(2, 10), new: result(2 * r, 10) }));

  it('is worse only where the whole interval is above 1.05', () => {
    expect(compared(pairs([1.2, 1.1, 1.06, 1.3, 1.2, 1.2, 1.2]))).toMatchObject([
      { what: 'row 0', ratio: 1.2, worse: true },
      { what: 'row 1', ratio: 1, worse: false },
    ]);
    expect(compared(pairs([1.2, 1.1, 1.04, 1.3, 1.2, 1.2, 1.2]))[0]).toMatchObject({ worse: false });
  });

  it('that is a rate is worse where it falls', () => {
    const rate = (median: number): BenchResult => {
      const [one] = result(median).rows as [BenchResult['rows'][number]];
      return { ...result(), rows: [{ ...one, unit: 'GB/s' }] };
    };
    const fallen = Array.from({ length: 7 }, () => ({ old: rate(6), new: rate(3) }));
    expect(compared(fallen)).toMatchObject([{ ratio: 2, worse: true }]);
    const risen = fallen.map((pair) => ({ old: pair.new, new: pair.old }));
    expect(compared(risen)).toMatchObject([{ ratio: 0.5, worse: false }]);
  });

  it('is left out where one of them has no such row', () => {
    expect(compared([{ old: result(1), new: result(1, 2) }]).map(({ what }) => what)).toEqual(['row 0']);
  });
});
