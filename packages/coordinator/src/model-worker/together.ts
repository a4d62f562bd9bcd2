import type { Metrics } from '@coppice/protocol';
import type { Results } from './jobs.ts';

/**
 * Combines the metrics of parts, in the parts' order, so that the result is the same to the bit for any distribution of
 * them.
 */
export function together(shares: readonly Results['evaluate'][]): Metrics | null {
  const parts = shares.flatMap((share) => (share === null ? [] : [...share]));
  if (parts.length === 0) return null;
  const ordered = parts.sort(([a], [b]) => a - b).map(([, metrics]) => metrics);
  const examples = ordered.reduce((sum, part) => sum + part.examples, 0);
  /** Sums one metric over the parts; null where any part lacks it. */
  const sum = (of: (part: Metrics) => number | null) =>
    ordered.reduce<number | null>((before, part) => {
      const value = of(part);
      return before === null || value === null ? null : before + value;
    }, 0);
  const loss = sum((part) => part.loss && part.loss * part.examples);
  // Hits are whole numbers: 97 % of parts must not come to a little less of the whole.
  const hits = sum((part) => part.accuracy && Math.round(part.accuracy * part.examples));
  return {
    loss: loss === null ? null : loss / examples,
    accuracy: hits === null ? null : hits / examples,
    examples,
  };
}
