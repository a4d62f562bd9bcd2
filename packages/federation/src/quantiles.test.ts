import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { medianOf, quantiles } from './quantiles.ts';

const values = fc.array(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 30 });

describe('quantiles', () => {
  it('interpolate linearly between two values', () => {
    expect(quantiles([0.5, 3, 1, 8, 2, 1.5], [0, 0.25, 0.5, 0.75, 1])).toEqual([0.5, 1.125, 1.75, 2.75, 8]);
    expect(quantiles([7], [0, 0.3, 1])).toEqual([7, 7, 7]);
    expect(quantiles([], [0.5])).toEqual([]);
  });

  it('are in order, and between the least and the largest value', () => {
    fc.assert(
      fc.property(values, (all) => {
        const found = quantiles(all, [0, 0.25, 0.5, 0.75, 1]);
        expect(found).toEqual(found.toSorted((a, b) => a - b));
        expect(found[0]).toBe(Math.min(...all) + 0);
        expect(found[4]).toBe(Math.max(...all) + 0);
      }),
    );
  });
});

describe('the median', () => {
  it('has as many values below it as above', () => {
    fc.assert(
      fc.property(values, (all) => {
        const middle = medianOf(all);
        expect(all.filter((value) => value < middle).length).toBeLessThanOrEqual(all.length / 2);
        expect(all.filter((value) => value > middle).length).toBeLessThanOrEqual(all.length / 2);
      }),
    );
    expect([[], [4], [1, 9], [9, 1, 2], [4, 1, 9, 2]].map(medianOf)).toEqual([0, 4, 5, 2, 3]);
  });
});
