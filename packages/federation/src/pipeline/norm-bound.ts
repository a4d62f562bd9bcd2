import { CoppiceError, type Plan } from '@coppice/protocol';
import { apart } from '../apart.ts';

/** Clipping scales in float32, so that what comes out may be longer than asked by its rounding. */
const ROUNDING = 1 + 1e-5;

/** L2 norms; `Infinity` where there is no bound. */
export interface NormBound {
  /** Over all trainable tensors together. */
  readonly trainable: number;
  /** Over all other tensors together. */
  readonly nonTrainable: number;
}

/**
 * The longest update that a plan lets count. `maxNorm` holds for the trainable tensors and for the others,
 * each taken together and by itself: running statistics of normalisation layers are averaged plainly, so
 * that one huge one would spoil them for everybody. Clipping leaves them alone. Clipping happens on devices that
 * may not do as asked, so its norm is a bound, too.
 * (Sun et al., "Can You Really Backdoor Federated Learning?", 2019, norm thresholding.)
 */
export function normBound(plan: Plan): NormBound {
  const max = plan.maxNorm ?? Number.POSITIVE_INFINITY;
  const clipped = plan.clipNorm === null ? Number.POSITIVE_INFINITY : plan.clipNorm * ROUNDING;
  return { trainable: Math.min(max, clipped), nonTrainable: max };
}

/**
 * What an update that is longer than its plan allows is answered; `null`: it is not longer.
 *
 * @param squares Σ value² of its trainable tensors and of the others.
 */
export function checkNorm(squares: NormBound, bound: NormBound): CoppiceError | null {
  return (
    check(Math.sqrt(squares.trainable), bound.trainable, 'norm') ??
    check(Math.sqrt(squares.nonTrainable), bound.nonTrainable, 'non-trainable part’s norm')
  );
}

function check(norm: number, bound: number, what: string): CoppiceError | null {
  if (norm <= bound) return null;
  return new CoppiceError(
    'update-norm',
    `The update's ${what} is ${apart(norm, bound)}; this run counts updates up to ${apart(bound, norm)}. Training may be diverging here: a smaller learning rate or scaled inputs help.`,
  );
}
