import { type RandomSource, uniform } from '@coppice/ports';

/** Pause after the first failure, doubled after each further one, and the longest, in milliseconds. */
const FIRST = 1_000;
const LONGEST = 300_000;

/** The pause between two looks at a channel: the interval, up to a tenth shorter or longer, so that pages spread. */
export function pauseBetweenLooks(interval: number, random: RandomSource): number {
  return interval * (0.9 + 0.2 * uniform(random));
}

/**
 * The pause after `failures` (1 or more) in a row, in milliseconds: from half to the whole of a time that doubles up to
 * five minutes. Where the coordinator asked for a time: that time, and up to half of it or a second more, so that all
 * the pages that it told do not come at once.
 */
export function pauseAfterFailure(failures: number, retryAfter: number | null, random: RandomSource): number {
  const share = uniform(random);
  if (retryAfter !== null) return retryAfter + share * Math.max(FIRST, retryAfter / 2);
  return Math.min(LONGEST, FIRST * 2 ** (failures - 1)) * (0.5 + 0.5 * share);
}
