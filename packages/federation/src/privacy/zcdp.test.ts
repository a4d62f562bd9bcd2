import fc from 'fast-check';
import { expect, it } from 'vitest';
import { composed, gaussianDeviation, zcdpEpsilon } from './zcdp.ts';

const rhos = fc.double({ min: 1e-6, max: 50, noNaN: true });
const deltas = fc.double({ min: 1e-12, max: 0.1, noNaN: true });

it('is the least over all orders, which a fine grid does not go below', () => {
  fc.assert(
    fc.property(rhos, deltas, (rho, delta) => {
      const { epsilon, order } = zcdpEpsilon(rho, delta);
      const at = (alpha: number) =>
        rho * alpha + Math.log1p(-1 / alpha) - (Math.log(delta) + Math.log(alpha)) / (alpha - 1);
      expect(Math.max(0, at(order))).toBeCloseTo(epsilon, 9);
      for (let power = -8; power <= 18; power += 0.05)
        expect(Math.max(0, at(1 + 2 ** power))).toBeGreaterThanOrEqual(epsilon - 1e-9 * (1 + epsilon));
      // Bun and Steinke's simpler bound (TCC 2016, Proposition 3) is never below it.
      expect(epsilon).toBeLessThanOrEqual(rho + 2 * Math.sqrt(rho * Math.log(1 / delta)) + 1e-9);
    }),
  );
});

it('grows with what is spent, and is nothing before', () => {
  expect(zcdpEpsilon(0, 1e-6).epsilon).toBe(0);
  expect(zcdpEpsilon(1e-12, 0.1).epsilon).toBe(0);
  fc.assert(
    fc.property(rhos, rhos, deltas, (rho, more, delta) => {
      expect(zcdpEpsilon(composed([rho, more]), delta).epsilon).toBeGreaterThanOrEqual(
        zcdpEpsilon(rho, delta).epsilon - 1e-9,
      );
    }),
  );
});

it('costs what the deviation was chosen for', () => {
  // A Gaussian of deviation σ costs Δ² / (2 σ²).
  expect(3 ** 2 / (2 * gaussianDeviation(3, 0.125) ** 2)).toBeCloseTo(0.125, 12);
});
