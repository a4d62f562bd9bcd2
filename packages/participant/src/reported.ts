import { MAX_LOSS, MAX_TRAINING_MILLISECONDS } from '@coppice/protocol';

/** A loss as it may be told: `null` where it is no number or beyond what the wire takes. */
export function reportedLoss(loss: number | null): number | null {
  return loss !== null && Math.abs(loss) <= MAX_LOSS ? loss : null;
}

export function reportedMilliseconds(milliseconds: number): number {
  return Math.min(Math.max(milliseconds, 0), MAX_TRAINING_MILLISECONDS);
}
