import { CoppiceError, type Plan } from '@coppice/protocol';
import { apart } from '../apart.ts';
import { MODEL_GROUP } from '../contributions/layout.ts';

/** L2 norms; `Infinity` where there is no bound. */
export interface NormBound {
  /** Over all trainable tensors together. */
  readonly trainable: number;
  /** Over all other tensors together. */
  readonly nonTrainable: number;
}

/**
 * The longest change of a model that a plan counts. `maxNorm` holds for the steps and for the averages, each taken
 * together and by itself: running statistics are averaged plainly, so that one huge one would spoil them for everybody.
 * (Sun et al., "Can You Really Backdoor Federated Learning?", 2019, norm thresholding.)
 */
export function normBound({ maxNorm }: Pick<Plan, 'maxNorm'>): NormBound {
  const max = maxNorm ?? Number.POSITIVE_INFINITY;
  return { trainable: max, nonTrainable: max };
}

/** The bounds of a plan, by group. */
export function modelBounds(plan: Pick<Plan, 'maxNorm'>): Map<string, NormBound> {
  return new Map([[MODEL_GROUP, normBound(plan)]]);
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
