import * as tf from './tf.ts';
import type { LocalTraining } from './trainer.ts';

/** Factories of tfjs's optimizers. State starts fresh; the caller disposes of it. */
export const optimizers: Readonly<
  Record<LocalTraining['optimizer'], (learningRate: number) => tf.Optimizer>
> = {
  /** w ← w − η·g with g the gradient of the batch's mean loss: the local step of FedAvg. */
  sgd: (learningRate) => tf.train.sgd(learningRate),
  /** v ← 0.9·v + g, w ← w − η·v. */
  momentum: (learningRate) => tf.train.momentum(learningRate, 0.9),
  /** Kingma & Ba, 2015, with β₁ = 0.9 and β₂ = 0.999. */
  adam: (learningRate) => tf.train.adam(learningRate),
};

/**
 * Disposes of all of an optimizer's state, including the step size that tfjs's momentum leaves undisposed in its parent
 * class.
 */
export function disposeOptimizer(optimizer: tf.Optimizer): void {
  optimizer.dispose();
  (optimizer as unknown as { c?: tf.Scalar }).c?.dispose();
}
