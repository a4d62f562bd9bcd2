import { type OpenRound, pending } from './open-round.ts';

/**
 * Step 3: whether to go on waiting.
 *
 * - `enough`: the target is met, or nobody is left to wait for and the quorum is.
 * - `lost`: even if all who are still expected delivered, the quorum would not be met.
 * - `wait`: neither.
 */
export function collected(open: OpenRound, timeIsUp: boolean): 'enough' | 'lost' | 'wait' {
  const accepted = open.sum.updates;
  if (accepted >= open.sizes.target) return 'enough';
  const expected = timeIsUp ? 0 : pending(open);
  if (accepted + expected < open.sizes.quorum) return 'lost';
  return expected === 0 ? 'enough' : 'wait';
}
