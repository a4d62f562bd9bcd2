import { finish, type Steps, type Values } from '@coppice/federation';
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
  valid: ValidUpdate,
  elapsed: number,
): void {
  finish(open.sum.addInSteps(valid.values, update.examples, valid.limit));
  credit(open, participant, update, elapsed);
}

/**
 * The same, a piece of the model at a time, of values that the sum's `checkInSteps` let pass. The update counts when
 * this is called; the sum is right when the steps are done.
 *
 * @throws CoppiceError `update-out-of-range` where the sum takes no more; then nothing was counted.
 */
export function accumulateInSteps(
  open: OpenRound,
  participant: string,
  update: Update,
  { values, elapsed }: { values: Values; elapsed: number },
): Steps<void> {
  const steps = open.sum.addInSteps(values, update.examples);
  // The first piece is added now: what cannot be added at all is refused before it counts.
  steps.next();
  credit(open, participant, update, elapsed);
  return steps;
}

function credit(open: OpenRound, participant: string, update: Update, elapsed: number): void {
  open.counted.updates += 1;
  open.counted.examples += update.examples;
  const member = open.cohort.get(participant);
  if (member !== undefined) {
    member.outcome = 'accepted';
    member.milliseconds = elapsed - open.beganAt;
  }
  if (update.evaluation !== null) open.evaluations.push(update.evaluation);
  if (update.loss !== null)
    open.losses.push({ loss: update.loss, accuracy: null, examples: update.examples });
}
