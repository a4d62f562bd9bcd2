/** A choice of so many is looked through; one of thousands is neither read nor drawn in time. */
const FEW = 200;
/** So many of the newest, and of those around the chosen one on each side. */
const NEAR = 40;
/** So many of all the others, evenly apart; from there the arrows lead on. */
const APART = 100;

/**
 * Which of `count` rounds stand in a choice, by index, the newest first.
 *
 * @param at the chosen one, which is always among them.
 */
export function indicesToOffer(count: number, at: number): number[] {
  const all = Array.from({ length: count }, (_, i) => count - 1 - i);
  if (count <= FEW) return all;
  const step = Math.ceil(count / APART);
  return all.filter((i) => count - i <= NEAR || Math.abs(i - at) <= NEAR || (i + 1) % step === 0 || i === 0);
}
