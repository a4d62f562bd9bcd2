import type { DataSchema, Layout, Loss, Metrics, Topology } from '@coppice/protocol';

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

/** How one participant trains in one round. */
export interface LocalTraining {
  readonly epochs: number;
  readonly batchSize: number;
  readonly optimizer: 'sgd' | 'momentum' | 'adam';
  readonly learningRate: number;
  /**
   * μ of FedProx (Li et al., 2020): what is minimised is the loss + μ/2 · ‖w − w₀‖², with w₀ the weights that training
   * begins with. Left out, or 0: the loss alone. Reported losses are without the term, so that they can be compared.
   */
  readonly proximal?: number;
  /** Seeds the order of the examples: shuffled anew each epoch. The last, smaller batch is used. */
  readonly shuffleSeed: string;
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
  /** Mean loss over the last epoch's examples. */
  readonly loss: number;
  readonly steps: number;
  readonly milliseconds: number;
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
   * @throws CoppiceError `training-diverged` when the loss is not finite, `backend-lost` when the
   *   device was lost; an `AbortError` when `signal` was aborted.
   */
  train(
    data: Dataset,
    how: LocalTraining,
    options?: { onProgress?: (progress: TrainingProgress) => void; signal?: AbortSignal },
  ): Promise<TrainingResult>;
  /** Loss and accuracy of the weights that are set, over `data`. */
  evaluate(data: Dataset): Promise<Metrics>;
  /** One output row (probabilities or values) for each example in `xs`, flat. */
  predict(xs: Inputs, count: number): Promise<Float32Array>;
  dispose(): void;
}
