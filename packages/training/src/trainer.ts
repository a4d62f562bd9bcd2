import type {
  DataSchema,
  Layout,
  LocalTraining,
  Loss,
  Measured,
  Metrics,
  Objective,
  Topology,
} from '@coppice/protocol';

export type { LocalTraining, Objective } from '@coppice/protocol';

/**
 * Names of the ways to compute that can train: a fixed list of kernel calls (`planned`), and tfjs on the
 * graphics processor in two ways, on WebAssembly and in plain JavaScript.
 */
export type BackendName = 'planned' | TfjsBackend;
export type TfjsBackend = 'webgpu' | 'webgl' | 'wasm' | 'cpu';

/**
 * Numbers for a model, row-major: normalised as the data schema says, or the bytes of pictures, of which a model is
 * given 1/255. Bytes take a quarter of the room, and are turned into numbers a batch at a time.
 */
export type Inputs = Float32Array | Uint8Array;

/**
 * Examples ready for a model: `xs` has `count` rows of the same size; `ys` holds class indices (classification) or
 * target values (regression).
 */
export interface Dataset {
  readonly count: number;
  readonly xs: Inputs;
  readonly ys: Float32Array;
}

/** What a model is, as the trainer needs to know it. */
export interface ModelDescription {
  readonly topology: Topology;
  readonly data: DataSchema;
  readonly loss: Loss;
}

export interface TrainingProgress {
  readonly epoch: number;
  readonly epochs: number;
  readonly step: number;
  readonly steps: number;
  /** Mean loss over the epoch so far; null until it was read back from the device. */
  readonly loss: number | null;
}

export interface TrainingResult {
  /** The weights after training, flat, in layout order. */
  readonly weights: Float32Array;
  /** Sum of the losses of the last epoch's examples, each at the weights before its step. */
  readonly lossSum: number;
  /** Examples of an epoch. */
  readonly examples: number;
  /** Mean loss over the last epoch's examples: `lossSum / examples`. */
  readonly loss: number;
  /** Optimizer steps taken. */
  readonly steps: number;
  readonly milliseconds: number;
}

export interface TrainOptions {
  /** Correction of every step's gradient; left out or null: none. */
  readonly objective?: Objective | null;
  readonly onProgress?: (progress: TrainingProgress) => void;
  readonly signal?: AbortSignal;
}

/**
 * Trains, measures and asks one model on one backend. Calls must not overlap.
 * Everything that is not disposed is a leak the garbage collector does not see: `dispose` when done.
 */
export interface Trainer {
  readonly backend: BackendName;
  /** Why this is another backend than the one that was asked for; not there when it is that one. */
  readonly note?: string;
  readonly layout: Layout;
  /** The weights as initialised from the seed given at creation, or as last set. */
  getWeights(): Promise<Float32Array>;
  setWeights(weights: Float32Array): void;
  /**
   * Trains from the weights that are set, over `data`.
   *
   * @throws CoppiceError `data-empty` without examples, `training-diverged` when the loss is not finite, `backend-lost`
   *   when the device was lost; RangeError for an objective of another length than the layout; an `AbortError` when
   *   `signal` was aborted.
   */
  train(data: Dataset, how: LocalTraining, options?: TrainOptions): Promise<TrainingResult>;
  /**
   * Computes the gradient of the mean training loss, regularizers included, at the weights that are set, over all of
   * `data`. The weights stay as they are, batch normalization's moving statistics too.
   *
   * Layers that draw (dropout, noise) draw nothing, so that the gradient is a function of weights and data alone. Batch
   * normalization uses the statistics of batches, as the steps do that a strategy corrects by this gradient. With it the
   * gradient depends on the batches, which are the same on every backend: in order, of equal size, at most 100 examples.
   *
   * @returns As long as the layout, with 0 at weights that are not trainable.
   * @throws CoppiceError `data-empty`, `training-diverged` where the gradient is not finite, `backend-lost`; an `AbortError`.
   */
  gradient(data: Dataset, options?: { readonly signal?: AbortSignal }): Promise<Float32Array>;
  /** Measures the weights that are set over `data`, as sums. */
  measure(data: Dataset): Promise<Measured>;
  /** Measures the weights that are set over `data`: the means of `measure`. */
  evaluate(data: Dataset): Promise<Metrics>;
  /** One output row (probabilities or values) for each example in `xs`, flat. */
  predict(xs: Inputs, count: number): Promise<Float32Array>;
  dispose(): void;
}
