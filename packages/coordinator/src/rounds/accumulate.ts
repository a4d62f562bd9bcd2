import type { Steps } from '@coppice/federation';
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
  credit(open, participant, update, elapsed);
}

/**
 * The same, a piece of the model at a time. The update counts when this is called; the sum is right when the
 * steps are done.
 *
 * @param largest what `checkInSteps` said of these values.
 */
export function accumulateInSteps(
  open: OpenRound,
  participant: string,
  update: Update,
  { values, largest, elapsed }: { values: Float32Array; largest: number; elapsed: number },
): Steps<void> {
  const steps = open.sum.addInSteps(values, update.examples, largest);
  credit(open, participant, update, elapsed);
  return steps;
}

function credit(open: OpenRound, participant: string, update: Update, elapsed: number): void {
  const member = open.cohort.get(participant);
  if (member !== undefined) {
    member.outcome = 'accepted';
    member.milliseconds = elapsed - open.beganAt;
  }
  if (update.evaluation !== null) open.evaluations.push(update.evaluation);
  if (update.loss !== null)
    open.losses.push({ loss: update.loss, accuracy: null, examples: update.examples });
}
