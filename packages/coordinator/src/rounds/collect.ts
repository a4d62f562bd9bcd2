import { CoppiceError } from '@coppice/protocol';
import { type OpenRound, pending } from './open-round.ts';

/**
 * Step 3: whether to go on waiting.
 *
 * - `enough`: the target is met, or nobody is left to wait for and the quorum is.
 * - `lost`: even if all who are still expected delivered, the quorum would not be met.
 * - `wait`: neither.
 */
export function collected(open: OpenRound, timeIsUp: boolean): 'enough' | 'lost' | 'wait' {
  const accepted = open.counted.updates;
  if (accepted >= open.sizes.target) return 'enough';
  const expected = timeIsUp ? 0 : pending(open);
  if (accepted + expected < open.sizes.quorum) return 'lost';
  return expected === 0 ? 'enough' : 'wait';
}

/** Why a round that is `lost` was lost. */
export function lostBecause(open: OpenRound, timeIsUp: boolean): CoppiceError {
  // A round is given up as soon as the quorum is out of reach, before all have answered, so only those
  // who did answer can say what went wrong.
  const accepted = open.counted.updates;
  const answered = open.cohort.size - pending(open);
  if (open.diverged > accepted && open.diverged >= answered - accepted) {
    return new CoppiceError(
      'training-diverged',
      `The training diverged on ${open.diverged} of the ${answered} devices that answered: the loss is not a number. A smaller learning rate may help.`,
    );
  }
  return new CoppiceError(
    'quorum-lost',
    `${accepted} of ${open.sizes.quorum} needed updates came${timeIsUp ? ' before the deadline' : ', and too few participants are left'}.`,
  );
}
