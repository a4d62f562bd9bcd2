/** The unit of shares: whole numbers of it add up to 1 exactly, also as float32. */
export const SHARE_UNIT = 2 ** -20;

/** The unit of squares of shares: the finest in which 1 is a whole number that float32 holds exactly. */
export const SQUARE_UNIT = 2 ** -24;

/**
 * Shares of counts, whole numbers of `SHARE_UNIT` that add up to 1: the units that rounding down leaves go to the largest
 * remainders, the first of equal ones. All are 0 where nothing was counted.
 *
 * @param counts whole numbers that add up to 2^33 at most.
 */
export function sharesOf(counts: ArrayLike<number>): Float64Array {
  const shares = Float64Array.from(counts);
  const all = shares.reduce((sum, one) => sum + one, 0);
  if (all === 0) return shares;
  // Whole numbers throughout: quotients of equal remainders would differ by their rounding.
  const remainders = shares.map((one) => (one / SHARE_UNIT) % all);
  const units = shares.map((one, i) => (one / SHARE_UNIT - (remainders[i] as number)) / all);
  const left = 1 / SHARE_UNIT - units.reduce((sum, one) => sum + one, 0);
  const order = [...remainders.keys()].sort(
    (a, b) => (remainders[b] as number) - (remainders[a] as number) || a - b,
  );
  for (const i of order.slice(0, left)) units[i] = (units[i] as number) + 1;
  return units.map((one) => one * SHARE_UNIT);
}

/** The square of a share, in whole numbers of `SQUARE_UNIT`. */
export function squareOf(share: number): number {
  return rounded(share ** 2, SQUARE_UNIT);
}

/** The nearest multiple of a unit. */
export function rounded(value: number, unit: number): number {
  return Math.round(value / unit) * unit;
}

/** 1 ÷ a count, rounded up so that no report tells less than there is. */
export function inverseOf(count: number): number {
  return Math.ceil(1 / count / SQUARE_UNIT) * SQUARE_UNIT;
}
