/**
 * p-values adjusted for the rate of false discoveries (Benjamini and Hochberg, JRSS B 1995), in the order of the input: a
 * hypothesis is rejected at level α where its adjusted value is at most α.
 */
export function benjaminiHochberg(p: readonly number[]): number[] {
  const order = p.map((_, i) => i).sort((a, b) => (p[b] as number) - (p[a] as number));
  const adjusted = new Array<number>(p.length);
  let least = 1;
  for (const [at, i] of order.entries()) {
    const rank = p.length - at;
    least = Math.min(least, ((p[i] as number) * p.length) / rank);
    adjusted[i] = least;
  }
  return adjusted;
}
