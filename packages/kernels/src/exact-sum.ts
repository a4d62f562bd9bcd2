/**
 * Exact sums of weighted float32 values, in whole units, as int64. A sum that was added to with `addUnits`
 * holds bits(1.5 · 2⁵²) more for each addition, until it is settled.
 */
export interface ExactSumKernels {
  /** The largest |x| of n float32 values, as its bits; from 0x7f800000 on where any is not finite. */
  largestBits(n: number, x: number): number;
  /**
   * Σ x² in float64 over n float32 values. Four sums, of every fourth value each, are added at the end, (0 + 2) +
   * (1 + 3), and what is left of n after them.
   */
  sumOfSquares(n: number, x: number): number;
  /**
   * sums ← sums + round(scale · x) + bits(1.5 · 2⁵²) over n float32 values; needs |scale · x| < 2⁵¹ and a scale of
   * at most 29 bits. Ties go to even.
   *
   * @returns Σ x², in float64; the same bits on every variant.
   */
  addUnits(n: number, scale: number, x: number, sums: number): number;
  /** The same for |scale · x| < 2⁸⁰, and without the bits: high · 2³² + low ← high · 2³² + low + round(scale · x). */
  addLargeUnits(n: number, scale: number, x: number, low: number, high: number): void;
  /** Takes `additions` · bits(1.5 · 2⁵²) off n sums. */
  settle(n: number, additions: number, sums: number): void;
  /** Moves what does not fit into 32 bits from n settled sums to `high`: high · 2³² + low stays, 0 ≤ low < 2³². */
  carry(n: number, low: number, high: number): void;
  /** mean ← float64(sum) · 2⁻³⁶ / examples over n settled sums; mean, of float64, may lie where the sums do. */
  meanOfUnits(n: number, examples: number, sums: number, mean: number): void;
  /** The same of high · 2³² + low, rounded once; needs 0 ≤ low < 2³² and |high| < 2⁵³. */
  meanOfLargeUnits(n: number, examples: number, low: number, high: number, mean: number): void;
}
