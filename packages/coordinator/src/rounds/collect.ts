import { CoppiceError } from '@coppice/protocol';
import { diverged, type OpenRound, pending } from './open-round.ts';

/**
 * Step 3: whether to go on waiting.
 *
 * - `enough`: the target is met, or nobody is left to wait for and the quorum is.
 * - `lost`: even if all who are still expected delivered, the quorum would not be met.
 * - `wait`: neither; or the quorum is lost, and those still at work decide whether the training diverged.
 */
export function collected(open: OpenRound, timeIsUp: boolean): 'enough' | 'lost' | 'wait' {
  const accepted = open.counted.updates;
  if (accepted >= open.sizes.target) return 'enough';
  const expected = timeIsUp ? 0 : pending(open);
  if (accepted + expected < open.sizes.quorum) return mayDiverge(open, expected) ? 'wait' : 'lost';
  return expected === 0 ? 'enough' : 'wait';
}

/** Why a round that is `lost` was lost. */
export function lostBecause(open: OpenRound, timeIsUp: boolean): CoppiceError {
  const failed = diverged(open);
  if (isDivergence(open, failed)) {
    return new CoppiceError(
      'training-diverged',
      `The training diverged on ${failed} of the ${open.cohort.size} devices that were asked: a loss or an update was not finite, or too large. A smaller learning rate may help.`,
    );
  }
  return new CoppiceError(
    'quorum-lost',
    `${open.counted.updates} of ${open.sizes.quorum} needed updates came${timeIsUp ? ' before the deadline' : ', and too few participants are left'}.`,
  );
}

/** Whether the round has diverged members, and those still expected can make, or contradict, a divergence. */
function mayDiverge(open: OpenRound, expected: number): boolean {
  const failed = diverged(open);
  return failed > 0 && expected > 0 && isDivergence(open, failed + expected);
}

/** Whether so many diverged members are most of the cohort, and make the quorum impossible without anybody else. */
function isDivergence({ cohort, sizes }: OpenRound, failed: number): boolean {
  return 2 * failed > cohort.size && cohort.size - failed < sizes.quorum;
}
