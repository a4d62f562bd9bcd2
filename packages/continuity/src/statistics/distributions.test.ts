import fc from 'fast-check';
import { expect, it } from 'vitest';
import { chiSquareUpper, fisherUpper, normalUpper, normalUpperQuantile, tUpper } from './distributions.ts';
import { binnedKolmogorovSmirnov } from './histograms.ts';

/* The other statistics of this folder are held against published cases, which test/vectors runs. */

it('F has the upper points of the tables', () => {
  // Abramowitz and Stegun, table 26.9: 5 % and 1 %.
  for (const [x, above, below, p] of [
    [4.1, 2, 10, 0.05],
    [2.71, 5, 20, 0.05],
    [10.13, 1, 3, 0.05],
    [4.1, 5, 20, 0.01],
  ] as const)
    expect(fisherUpper(x, above, below)).toBeCloseTo(p, 3);
});

it('F with one degree of freedom above is the square of Student’s t, and χ² that of a normal number', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.01, max: 20, noNaN: true }),
      fc.double({ min: 1, max: 200, noNaN: true }),
      (t, degrees) => {
        expect(fisherUpper(t * t, 1, degrees) / (2 * tUpper(t, degrees))).toBeCloseTo(1, 8);
        expect(chiSquareUpper(t * t) / (2 * normalUpper(t))).toBeCloseTo(1, 8);
      },
    ),
  );
  expect(normalUpper(normalUpperQuantile(0.001))).toBeCloseTo(0.001, 12);
});

it('the distance of binned shares is the largest difference of what lies below an edge', () => {
  // Cumulative shares: 0.1, 0.3, 0.6, 1 and 0.3, 0.4, 0.5, 1.
  expect(binnedKolmogorovSmirnov([1, 2, 3, 4], [6, 2, 2, 10])).toBeCloseTo(0.2, 12);
  expect(binnedKolmogorovSmirnov([1, 2], [10, 20])).toBe(0);
});
