import type { MetricSums } from './metric-sums.ts';

/** Settings of one participant's training in one round. */
export interface LocalTraining {
  readonly epochs: number;
  readonly batchSize: number;
  readonly optimizer: 'sgd' | 'momentum' | 'adam';
  readonly learningRate: number;
  /**
   * Seeds the random layers and the order of the examples, which is shuffled again each epoch. The last, smaller batch
   * is used.
   */
  readonly shuffleSeed: string;
}

/**
 * An affine correction of the gradient. Every optimizer step's gradient g of the batch's loss, regularizers included,
 * becomes
 *
 *   scale ⊙ g + pull · (w − anchor) + offset
 *
 * with w the weights before the step. It covers the client side of FedProx (1, μ, w₀, 0), SCAFFOLD (1, 0, –, c − cᵢ),
 * FedDyn (1, α, w₀, −hᵢ), Ditto (1, λ, w*, 0) and MimeLite (1 − β, 0, –, β·m). The reported loss excludes the
 * correction, so that losses stay comparable.
 *
 * Vectors are flat, in layout order and as long as the whole layout, like the weights. Numbers at weights that are not
 * trainable are not read.
 *
 * The anchor is separate although `offset` could hold −pull · anchor: close to the anchor, w − anchor is exact in
 * float32, while pull · w and pull · anchor, rounded separately, keep the rounding error of the larger weights. FedProx
 * keeps its earlier bits.
 */
export interface Objective {
  /** One factor for all weights, or one for each. 1 leaves gradients unchanged. */
  readonly scale: number | Float32Array;
  /** Strength of the pull toward the anchor. At 0 there is none, and the anchor is not read. */
  readonly pull: number;
  /** Weights toward which `pull` pulls; null: all 0. */
  readonly anchor: Float32Array | null;
  /** Added to the gradient at every step; null: nothing. */
  readonly offset: Float32Array | null;
}

/** Loss and hits of a model over some examples, as sums, so that those of several data sets add up. */
export interface Measured {
  /** Sum of the examples' losses, without regularizers. Not finite where the model's outputs are not. */
  readonly lossSum: number;
  readonly examples: number;
  /** Examples whose class has the largest output; null for a regression. */
  readonly hits: number | null;
  /** Hits and examples of each class, in the order of the classes; null for a regression. */
  readonly perClass: readonly { readonly hits: number; readonly count: number }[] | null;
  /** The sums of the measures that the task asks for; left out where it asks for none. */
  readonly sums?: MetricSums;
}
