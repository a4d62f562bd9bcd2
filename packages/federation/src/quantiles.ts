/**
 * Quantiles by linear interpolation between the two values about each one's place (type 7 of Hyndman and Fan, "Sample
 * Quantiles in Statistical Packages", 1996).
 *
 * @param values finite, in any order.
 * @param shares 0 (the least value) to 1 (the largest).
 * @returns one for each share, in order; none where there are no values.
 */
export function quantiles(values: Iterable<number>, shares: readonly number[]): number[] {
  const sorted = Float64Array.from(values).sort();
  if (sorted.length === 0) return [];
  return shares.map((share) => {
    const place = (sorted.length - 1) * share;
    const below = sorted[Math.floor(place)] as number;
    const above = sorted[Math.ceil(place)] as number;
    return below + (place - Math.floor(place)) * (above - below);
  });
}

/** The middle value, or the mean of the two in the middle; 0 of none. */
export function medianOf(values: Iterable<number>): number {
  const [middle = 0] = quantiles(values, [0.5]);
  return middle;
}
