import { normal, type RandomSource, uniform } from '@coppice/ports';

/** One draw from the symmetric Dirichlet distribution: shares that add up to 1. */
export function dirichlet(size: number, alpha: number, random: RandomSource): number[] {
  const logs = Array.from({ length: size }, () => logGamma(alpha, random));
  // Relative to the largest, since with a small α the draws themselves underflow to 0.
  const largest = logs.reduce((most, log) => Math.max(most, log), Number.NEGATIVE_INFINITY);
  const weights = logs.map((log) => Math.exp(log - largest));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/**
 * The logarithm of a draw from Gamma(shape, 1). Marsaglia & Tsang, "A simple method for generating
 * gamma variables", ACM TOMS 26 (2000); for a shape below 1, their boost Gamma(shape + 1)·U^(1/shape).
 */
function logGamma(shape: number, random: RandomSource): number {
  if (shape < 1) return logGamma(shape + 1, random) + Math.log(1 - uniform(random)) / shape;
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal(random);
    const v = (1 + c * x) ** 3;
    if (v <= 0) continue;
    if (Math.log(1 - uniform(random)) < 0.5 * x * x + d - d * v + d * Math.log(v)) {
      return Math.log(d) + Math.log(v);
    }
  }
}
