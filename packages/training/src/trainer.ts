import type {
  DataSchema,
  Layout,
  LocalTraining,
  Loss,
  Measured,
  MetricName,
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
 * A model's inputs, row-major: numbers normalised as the data schema says, or the bytes of pictures, which are
 * brought to the schema's range. Bytes take a quarter of the memory, and are converted a batch at a time.
 */
export type Inputs = Float32Array | Uint8Array;

/**
 * Examples ready for a model: `xs` has `count` rows of the same size; `ys` holds class indices (classification) or
 * scaled target values (regression), of several targets one row for each example.
 */
export interface Dataset {
  readonly count: number;
  readonly xs: Inputs;
  readonly ys: Float32Array;
}

/** The description of a model for the trainer. */
export interface ModelDescription {
  readonly topology: Topology;
  readonly data: DataSchema;
  readonly loss: Loss;
  /** δ of the loss `huber`; left out: 1. */
  readonly huberDelta?: number | undefined;
  /** Factors of the examples' losses in training, by class; left out: 1. */
  readonly classWeights?: readonly number[] | undefined;
  /** The measures beyond loss and accuracy; left out: none. */
  readonly metrics?: MetricName[] | undefined;
  /** The probability of the second of two classes above which it is predicted; left out: 0.5. */
  readonly threshold?: number | undefined;
}

export interface TrainingProgress {
  readonly epoch: number;
  readonly epochs: number;
  readonly step: number;
  readonly steps: number;
  /** Mean loss over the epoch so far; null until it is read back from the device. */
  readonly loss: number | null;
}

export interface TrainingResult {
  /** The weights after training, flat, in layout order. */
  readonly weights: Float32Array;
  /** Sum of the losses of the last epoch's examples, with the weights of their classes, each at the weights before its step. */
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

/** Predictions, with what the model's last layer made them of. */
export interface Predicted {
  /** One output row (probabilities of all classes, or values) for each example, flat. */
  readonly outputs: Float32Array;
  /** One row of features for each example, flat; `null` where the model has none. */
  readonly features: Float32Array | null;
}

/**
 * Trains and evaluates one model on one backend, and predicts with it. Calls must not overlap. Memory of the device is
 * not garbage-collected: call `dispose` when done.
 */
export interface Trainer {
  readonly backend: BackendName;
  /** The reason for another backend than the requested one; absent where it is the requested one. */
  readonly note?: string;
  readonly layout: Layout;
  /** The weights as initialised from the seed given at creation, or as last set. */
  getWeights(): Promise<Float32Array>;
  setWeights(weights: Float32Array): void;
  /**
   * Trains on `data` from the current weights.
   *
   * @throws CoppiceError `data-empty` without examples, `training-diverged` when the loss is not finite, `backend-lost`
   *   when the device was lost; RangeError for an objective of another length than the layout; an `AbortError` when
   *   `signal` was aborted.
   */
  train(data: Dataset, how: LocalTraining, options?: TrainOptions): Promise<TrainingResult>;
  /**
   * Computes the gradient of the mean training loss, regularizers included, at the current weights, over all of `data`.
   * The weights stay unchanged, batch normalization's moving statistics too.
   *
   * Random layers (dropout, noise) draw nothing, so that the gradient is a function of weights and data alone. Batch
   * normalization uses the statistics of batches, like the steps that a strategy corrects by this gradient. It makes
   * the gradient depend on the batches, which are the same on every backend: in order, of equal size, at most 100
   * examples.
   *
   * @returns As long as the layout, with 0 at weights that are not trainable.
   * @throws CoppiceError `data-empty`, `training-diverged` where the gradient is not finite, `backend-lost`; an
   *   `AbortError`.
   */
  gradient(data: Dataset, options?: { readonly signal?: AbortSignal }): Promise<Float32Array>;
  /** Measures the current weights on `data`, as sums. */
  measure(data: Dataset): Promise<Measured>;
  /** Measures the current weights on `data`: the means of `measure`. */
  evaluate(data: Dataset): Promise<Metrics>;
  /**
   * One output row for each example in `xs`, flat: the probabilities of all classes, also those of a model of one sigmoid
   * unit, or values.
   */
  predict(xs: Inputs, count: number): Promise<Float32Array>;
  /** As `predict`, with the model's features: one row for each example, as wide as the input of the layer of `featureLayerOf`. */
  predictWithFeatures(xs: Inputs, count: number): Promise<Predicted>;
  dispose(): void;
}
