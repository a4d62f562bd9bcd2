import { CoppiceError, type Layout, type Plan } from '@coppice/protocol';
import { normOfInSteps } from '../metrics.ts';
import { finish, type Steps } from '../steps.ts';

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
 * Refuses an update that is longer than its plan allows. What is not finite has no length: summing refuses that.
 *
 * @throws CoppiceError `update-norm`
 */
export function checkNorm(values: Float32Array, layout: Layout, bound: NormBound): void {
  finish(checkNormInSteps(values, layout, bound));
}

/** As `checkNorm`, a piece of the model at a time. */
export function* checkNormInSteps(values: Float32Array, layout: Layout, bound: NormBound): Steps<void> {
  yield* check(bound.trainable, normOfInSteps(values, layout, true), 'norm');
  yield* check(bound.nonTrainable, normOfInSteps(values, layout, false), 'non-trainable part’s norm');
}

function* check(bound: number, measure: Steps<number>, what: string): Steps<void> {
  if (bound === Number.POSITIVE_INFINITY) return;
  const norm = yield* measure;
  if (!Number.isFinite(norm) || norm <= bound) return;
  throw new CoppiceError(
    'update-norm',
    `The update's ${what} is ${norm.toPrecision(3)}; this run counts updates up to ${bound.toPrecision(3)}. Training may be diverging here: a smaller learning rate or scaled inputs help.`,
  );
}
