import { tUpper, tUpperQuantile } from './distributions.ts';

/** Sums over participants i, each with n_i examples whose values add up to s_i. Sums of two sets of participants add up. */
export interface ClusterSums {
  /** Participants with an example. */
  readonly clusters: number;
  /** Σ n_i. */
  readonly examples: number;
  /** Σ s_i. */
  readonly sum: number;
  /** Σ s_i². */
  readonly sumSquares: number;
  /** Σ s_i n_i. */
  readonly products: number;
  /** Σ n_i². */
  readonly sizeSquares: number;
}

export interface ClusteredMean {
  /** Over all examples. */
  readonly mean: number;
  /** The standard error with participants as clusters: CR0, and CR1 with the factor G / (G − 1). */
  readonly cr0: number;
  readonly cr1: number;
  readonly degrees: number;
}

/**
 * The mean over all examples, and its standard error with participants as clusters (Liang and Zeger, Biometrika 1986):
 * V = Σ (s_i − n_i · mean)² / n².
 *
 * @returns `null` for fewer than two participants: nothing is known of how they differ.
 */
export function clusteredMean(of: ClusterSums): ClusteredMean | null {
  const { clusters, examples, sum, sumSquares, products, sizeSquares } = of;
  if (clusters < 2 || examples <= 0) return null;
  const mean = sum / examples;
  const squares = Math.max(0, sumSquares - 2 * mean * products + mean ** 2 * sizeSquares);
  const cr0 = Math.sqrt(squares) / examples;
  return { mean, cr0, cr1: cr0 * Math.sqrt(clusters / (clusters - 1)), degrees: clusters - 1 };
}

/** Two-sided p-value that the mean is zero, and the interval of a confidence, by CR1 and Student's t. */
export function clusteredTest(
  { mean, cr1, degrees }: ClusteredMean,
  confidence: number,
): { t: number; p: number; interval: readonly [number, number] } {
  const t = cr1 === 0 ? (mean === 0 ? 0 : Math.sign(mean) * Number.POSITIVE_INFINITY) : mean / cr1;
  const half = tUpperQuantile((1 - confidence) / 2, degrees) * cr1;
  const p = Number.isFinite(t) ? 2 * tUpper(Math.abs(t), degrees) : 0;
  return { t, p, interval: [mean - half, mean + half] };
}

/** The lower end of the one-sided interval for the mean, of error `alpha`. */
export function clusteredLower({ mean, cr1, degrees }: ClusteredMean, alpha: number): number {
  return mean - tUpperQuantile(alpha, degrees) * cr1;
}

/** The upper end of the one-sided interval for the mean, of error `alpha`. */
export function clusteredUpper({ mean, cr1, degrees }: ClusteredMean, alpha: number): number {
  return mean + tUpperQuantile(alpha, degrees) * cr1;
}
