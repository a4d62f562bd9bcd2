import betainc from '@stdlib/math-base-special-betainc';
import erfc from '@stdlib/math-base-special-erfc';
import erfcinv from '@stdlib/math-base-special-erfcinv';
import tQuantileOf from '@stdlib/stats-base-dists-t-quantile';

/** P[Z > z] of the standard normal distribution. */
export function normalUpper(z: number): number {
  return erfc(z / Math.SQRT2) / 2;
}

/** The z with P[Z > z] = p, for p in (0, 1). */
export function normalUpperQuantile(p: number): number {
  return Math.SQRT2 * erfcinv(2 * p);
}

/** P[X > x] of the χ² distribution with one degree of freedom. */
export function chiSquareUpper(x: number): number {
  return x <= 0 ? 1 : erfc(Math.sqrt(x / 2));
}

/** P[X > x] of Fisher's F distribution with real degrees of freedom. */
export function fisherUpper(x: number, above: number, below: number): number {
  return x <= 0 ? 1 : betainc(below / (below + above * x), below / 2, above / 2, true, false);
}

/** P[T > t] of Student's t distribution. */
export function tUpper(t: number, degrees: number): number {
  const tail = betainc(degrees / (degrees + t * t), degrees / 2, 0.5, true, false) / 2;
  return t >= 0 ? tail : 1 - tail;
}

/** The t with P[T > t] = p, for p in (0, 1). */
export function tUpperQuantile(p: number, degrees: number): number {
  return -tQuantileOf(p, degrees);
}

/** P[X ≤ k] for k successes of n, each with probability 1/2. */
export function fairBinomialLower(k: number, n: number): number {
  if (k < 0) return 0;
  return k >= n ? 1 : betainc(0.5, n - k, k + 1, true, false);
}
