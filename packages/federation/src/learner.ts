import type { Layout, LocalTraining, Measured, Objective } from '@coppice/protocol';

/** A training that has ended. */
export interface Trained {
  /** The weights after training, flat, in layout order. */
  readonly weights: Float32Array;
  /** Optimizer steps taken. */
  readonly steps: number;
  /** Sum of the losses of the last epoch's examples, each at the weights before its step. */
  readonly lossSum: number;
  /** Examples of an epoch: `lossSum / examples` is the mean loss. */
  readonly examples: number;
}

/**
 * Access of a strategy to a device's training examples, which it never sees. Weights are flat, in layout
 * order; they are neither kept nor changed. One call at a time.
 *
 * Each method throws CoppiceError `backend-lost` when the device that computes was lost, and RangeError for a vector
 * of another length than the layout's.
 */
export interface Learner {
  readonly layout: Layout;
  /**
   * Trains from the weights `from`.
   *
   * @param objective correction of every step's gradient; left out or null: none.
   * @throws CoppiceError `data-empty`, `training-diverged`; an `AbortError` when the work was stopped.
   */
  train(from: Float32Array, how: LocalTraining, objective?: Objective | null): Promise<Trained>;
  /**
   * Computes the gradient of the mean training loss at fixed weights, over all examples: the ∇fᵢ(x) of SCAFFOLD
   * (option I) and MimeLite. As long as the layout, with 0 at weights that are not trainable.
   *
   * @throws CoppiceError `data-empty`, `training-diverged` where it is not finite; an `AbortError` when the work was
   *   stopped.
   */
  gradient(at: Float32Array): Promise<Float32Array>;
  /** Measures loss and hits at fixed weights, over all examples; of none, all sums are 0. */
  measure(at: Float32Array): Promise<Measured>;
}
