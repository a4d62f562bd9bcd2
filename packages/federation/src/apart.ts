/**
 * Formats a number with the fewest significant digits, at least three, that distinguish it from another.
 *
 * @example
 * apart(0.500004, 0.5) // '0.500004'; `apart(0.5, 0.500004)`: '0.500000'
 */
export function apart(value: number, other: number): string {
  for (let digits = 3; digits < 17; digits++) {
    const told = value.toPrecision(digits);
    if (told !== other.toPrecision(digits)) return told;
  }
  return value.toPrecision(17);
}
