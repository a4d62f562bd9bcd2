import { MAX_LOSS, MAX_TRAINING_MILLISECONDS } from '@coppice/protocol';

/** A loss for the wire: `null` where it is no number or beyond the wire's bound. */
export function reportedLoss(loss: number | null): number | null {
  return loss !== null && Math.abs(loss) <= MAX_LOSS ? loss : null;
}

export function reportedMilliseconds(milliseconds: number): number {
  return Math.min(Math.max(milliseconds, 0), MAX_TRAINING_MILLISECONDS);
}
