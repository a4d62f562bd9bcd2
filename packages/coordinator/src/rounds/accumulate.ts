import type { Update } from '@coppice/protocol';
import type { OpenRound } from './open-round.ts';

/**
 * Step 5: a valid update is counted, once. Order plays no part.
 *
 * @throws CoppiceError `update-not-finite`, `update-out-of-range`; then nothing was counted.
 */
export function accumulate(
  open: OpenRound,
  participant: string,
  update: Update,
  values: Float32Array,
  elapsed: number,
): void {
  open.sum.add(values, update.examples);
  const member = open.cohort.get(participant);
  if (member !== undefined) {
    member.outcome = 'accepted';
    member.milliseconds = elapsed - open.beganAt;
  }
  if (update.evaluation !== null) open.evaluations.push(update.evaluation);
  if (update.loss !== null)
    open.losses.push({ loss: update.loss, accuracy: null, examples: update.examples });
}
