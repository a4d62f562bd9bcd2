import { betaLower, erfc } from './special-functions.ts';

/** P[Z > z] of the standard normal distribution. */
export function normalUpper(z: number): number {
  return erfc(z / Math.SQRT2) / 2;
}

/** The z with P[Z > z] = p, for p in (0, 1). */
export function normalUpperQuantile(p: number): number {
  return quantile(normalUpper, p);
}

/** P[X > x] of the χ² distribution with one degree of freedom. */
export function chiSquareUpper(x: number): number {
  return x <= 0 ? 1 : erfc(Math.sqrt(x / 2));
}

/** P[X > x] of Fisher's F distribution with real degrees of freedom. */
export function fisherUpper(x: number, above: number, below: number): number {
  const all = below + above * x;
  return x <= 0 ? 1 : betaLower({ x: below / all, rest: (above * x) / all }, below / 2, above / 2);
}

/** P[T > t] of Student's t distribution. */
export function tUpper(t: number, degrees: number): number {
  const all = degrees + t * t;
  const tail = betaLower({ x: degrees / all, rest: (t * t) / all }, degrees / 2, 0.5) / 2;
  return t >= 0 ? tail : 1 - tail;
}

/** The t with P[T > t] = p, for p in (0, 1). */
export function tUpperQuantile(p: number, degrees: number): number {
  return quantile((t) => tUpper(t, degrees), p);
}

/** P[X ≤ k] for k successes of n, each with probability 1/2. */
export function fairBinomialLower(k: number, n: number): number {
  if (k < 0) return 0;
  return k >= n ? 1 : betaLower({ x: 0.5, rest: 0.5 }, n - k, k + 1);
}

/** The x at which the upper tail of a distribution symmetric about zero is p, by bisection to the last digit. */
function quantile(upper: (x: number) => number, p: number): number {
  if (p > 0.5) return -quantile(upper, 1 - p);
  let [low, high] = [0, 1];
  while (upper(high) > p) [low, high] = [high, 2 * high];
  for (;;) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) return middle;
    if (upper(middle) > p) low = middle;
    else high = middle;
  }
}
