/** A point of a line; `y` is null where there is no value (a round without an evaluation, a NaN loss). */
export interface Point {
  readonly x: number;
  readonly y: number | null;
}

/**
 * Smooths a line with a moving exponential average of width `tau`, in units of x.
 *
 * The line is taken as drawn, straight pieces between points, and the average is the integral of that line under the
 * weight exp(−(x − s)/τ), divided by the integral of the weight. So it does not depend on the number of points that
 * describe the same line, nor on the first value as a recursive average does. The recursion is the "linear" one of
 * Eckner, "Algorithms for Unevenly Spaced Time Series" (2019), with its mass carried along as the divisor.
 *
 * @param points sorted by x, strictly increasing; null values are skipped and stay null.
 * @param tau 0 or less returns the values unchanged.
 * @returns one value for each point.
 */
export function smooth(points: readonly Point[], tau: number): (number | null)[] {
  if (!(tau > 0)) return points.map((point) => point.y);
  const result: (number | null)[] = [];
  let sum = 0;
  let mass = 0;
  let previous: { x: number; y: number } | null = null;
  for (const { x, y } of points) {
    if (y === null) {
      result.push(null);
      continue;
    }
    if (previous === null) {
      result.push(y);
    } else {
      const delta = (x - previous.x) / tau;
      const kept = Math.exp(-delta);
      // −expm1 keeps its digits where delta is tiny, 1 − exp would not.
      const gained = -Math.expm1(-delta);
      const mean = gained / delta;
      sum = kept * sum + (1 - mean) * y + (mean - kept) * previous.y;
      mass = kept * mass + gained;
      result.push(sum / mass);
    }
    previous = { x, y };
  }
  return result;
}

/**
 * The width for a smoothing strength of 0–1: a share of the visible span, so that one setting looks the same for 20
 * rounds and for 2,000. Strength 1 averages over half the span.
 */
export function smoothingWidth(strength: number, span: number): number {
  return Math.min(Math.max(strength, 0), 1) ** 2 * span * 0.5;
}
