import { finish } from '@coppice/federation';
import type { Update } from '@coppice/protocol';
import type { OpenRound } from './open-round.ts';
import type { ValidUpdate } from './validate.ts';

/**
 * Step 5: a valid update is counted, once. Order plays no part. Its values are looked at on the way.
 *
 * @throws CoppiceError `update-not-finite`, `update-norm`, `update-out-of-range`; then nothing was counted.
 */
export function accumulate(
  open: OpenRound,
  participant: string,
  update: Update,
  { values, limit }: ValidUpdate,
  now: number,
): void {
  finish(open.sum.addInSteps(values, update.examples, limit));
  const member = open.cohort.get(participant);
  if (member !== undefined) {
    member.outcome = 'accepted';
    member.milliseconds = now - open.startedAt;
  }
  if (update.evaluation !== null) open.evaluations.push(update.evaluation);
  if (update.loss !== null)
    open.losses.push({ loss: update.loss, accuracy: null, examples: update.examples });
}
