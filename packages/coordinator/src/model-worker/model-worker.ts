import type { DataSchema, Layout, Loss, Metrics, Task, Topology } from '@coppice/protocol';

/** A form of a model for other programs: weights as float16 without a header, or a whole file. */
export type ExportFormat = 'float16' | 'safetensors' | 'onnx';

/** Facts that a file carries beside the weights. */
export interface ExportFacts {
  readonly name: string;
  readonly description: string;
  /** Texts by name. */
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * All work on models, outside of the process that holds the sockets. Every job ends: one that takes too long is stopped
 * and refused with an error code. Jobs of one task do not block those of another.
 */
export interface ModelWorker {
  /**
   * Checks an uploaded model, the content of a `model.json` or a topology alone, and returns its topology.
   *
   * @param loss null: the one that fits data and model.
   * @throws CoppiceError `model-invalid` with the fault, also where the check takes too long.
   */
  check(
    model: unknown,
    data: DataSchema,
    loss: Loss | null,
  ): Promise<{ readonly topology: Topology; readonly loss: Loss }>;
  /**
   * Computes a task's layout: names and shapes of its weights, in order.
   *
   * @throws CoppiceError `model-invalid` with the fault; `evaluation-failed`.
   */
  layout(task: Pick<Task, 'id' | 'model' | 'data' | 'loss'>): Promise<Layout>;
  /**
   * Computes a task's layout, and draws its initial weights from a seed.
   *
   * @throws CoppiceError `model-invalid` with the fault; `evaluation-failed`.
   */
  describe(task: Task, seed: number): Promise<{ layout: Layout; weights: Float32Array }>;
  /**
   * Reads a file of safetensors, to know that it can be read.
   *
   * @throws CoppiceError `weights-invalid`
   */
  readWeights(file: Uint8Array): Promise<{ tensors: number; parameters: number }>;
  /**
   * Puts given weights in the order of a layout: a file of safetensors, or the weights of a model.
   *
   * @throws CoppiceError `weights-invalid` where they cannot be read, or do not fit by name, shape and number.
   */
  fitWeights(
    layout: Layout,
    given: { readonly file: Uint8Array } | { readonly layout: Layout; readonly weights: Float32Array },
  ): Promise<Float32Array>;
  /**
   * Measures loss and accuracy on the coordinator's test data for this task; `null` where it has none.
   *
   * @throws CoppiceError `evaluation-failed`
   */
  evaluate(task: Task, weights: Float32Array): Promise<Metrics | null>;
  /**
   * Writes weights of a task as a file for other programs. `facts` are left out of float16.
   *
   * @throws CoppiceError `export-unsupported`, naming the layer that has no form in it; `evaluation-failed`.
   */
  export(task: Task, weights: Float32Array, format: ExportFormat, facts: ExportFacts): Promise<Uint8Array>;
  /**
   * Encodes share `share` (0 … of − 1) of a built-in task's training data, cut into `of` random shares: header of four
   * uint32 (count, bytes per feature, features per example, 0), features, padding to four bytes, float32 labels;
   * little-endian.
   *
   * @throws CoppiceError `data-invalid` where there are fewer examples than shares; `evaluation-failed`.
   */
  samples(task: string, share: number, of: number): Promise<Uint8Array>;
  /** Ends all jobs, which are refused with `coordinator-stopping`, and all threads. */
  close(): Promise<void>;
}
