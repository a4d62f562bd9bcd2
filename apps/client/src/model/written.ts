/**
 * The shortest decimal that names a stored number: one that float32 rounds to it, where it is a float32 number, else the
 * number itself.
 */
export function written(value: number): number {
  if (Math.fround(value) !== value) return value;
  for (let digits = 1; digits <= 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}
