import type { DataSchema, Layout, Loss, Metrics, Task, Topology } from '@coppice/protocol';

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
  layout(task: Task): Promise<Layout>;
  /**
   * Computes a task's layout, and draws its initial weights from a seed.
   *
   * @throws CoppiceError `model-invalid` with the fault; `evaluation-failed`.
   */
  describe(task: Task, seed: number): Promise<{ layout: Layout; weights: Float32Array }>;
  /**
   * Measures loss and accuracy on the coordinator's test data for this task; `null` where it has none.
   *
   * @throws CoppiceError `evaluation-failed`
   */
  evaluate(task: Task, weights: Float32Array): Promise<Metrics | null>;
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
