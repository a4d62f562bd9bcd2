/** The most rounds that a choice lists in full; one of thousands can be neither read nor drawn in time. */
const FEW = 200;
/** Number of newest rounds in a longer choice, and of those on each side of the chosen one. */
const NEAR = 40;
/** Number of the other rounds in it, evenly spaced; the arrow keys lead on from there. */
const APART = 100;

/**
 * Indices of the rounds in a choice of `count`, the newest first.
 *
 * @param at the chosen one, which is always among them.
 */
export function indicesToOffer(count: number, at: number): number[] {
  const all = Array.from({ length: count }, (_, i) => count - 1 - i);
  if (count <= FEW) return all;
  const step = Math.ceil(count / APART);
  return all.filter((i) => count - i <= NEAR || Math.abs(i - at) <= NEAR || (i + 1) % step === 0 || i === 0);
}
