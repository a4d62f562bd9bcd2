import { CoppiceError, type Plan } from '@coppice/protocol';

/** Clipping scales in float32, so that what comes out may be longer than asked by its rounding. */
const ROUNDING = 1 + 1e-5;

/**
 * The longest update that a plan lets count, as an L2 norm over all trainable tensors; `Infinity` where
 * it sets no bound. Clipping happens on devices that may not do as asked, so its norm is a bound, too.
 * (Sun et al., "Can You Really Backdoor Federated Learning?", 2019, norm thresholding.)
 */
export function normBound(plan: Plan): number {
  const clipped = plan.clipNorm === null ? Number.POSITIVE_INFINITY : plan.clipNorm * ROUNDING;
  return Math.min(plan.maxNorm ?? Number.POSITIVE_INFINITY, clipped);
}

/** What an update that is longer than its plan allows is answered. */
export function normError(norm: number, bound: number): CoppiceError {
  return new CoppiceError(
    'update-norm',
    `The update's norm is ${norm.toPrecision(3)}; this run counts updates up to ${bound.toPrecision(3)}. Training may be diverging here: a smaller learning rate or scaled inputs help.`,
  );
}
