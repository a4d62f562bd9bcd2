import type { RoundEvent } from '../events.ts';
import { measured } from './format.ts';

/** The first round with the highest accuracy; null where none was measured. */
export function bestRound(rounds: readonly RoundEvent[]): (RoundEvent & { accuracy: number }) | null {
  let best: (RoundEvent & { accuracy: number }) | null = null;
  for (const round of rounds) {
    const { accuracy } = round;
    if (measured(accuracy) && (best === null || accuracy > best.accuracy)) best = { ...round, accuracy };
  }
  return best;
}
