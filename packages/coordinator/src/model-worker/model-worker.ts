import type { DataSchema, Layout, Loss, Metrics, Task, Topology } from '@coppice/protocol';

/**
 * All work on models, kept away from the process that holds the sockets. Every job ends: one that takes too long is ended,
 * and refused by name. Jobs of one task do not hold up those of another.
 */
export interface ModelWorker {
  /**
   * Checks a model that someone brought, the content of a `model.json` or a topology alone, and gives
   * back its topology.
   *
   * @throws CoppiceError `model-invalid`, saying what is wrong with it, also where it takes too long to find out.
   */
  check(model: unknown, data: DataSchema, loss: Loss): Promise<Topology>;
  /**
   * Lays out a task's weights: names and shapes, in order.
   *
   * @throws CoppiceError `model-invalid`, saying what is wrong with it; `evaluation-failed`.
   */
  layout(task: Task): Promise<Layout>;
  /**
   * Lays out a task's weights, and draws the first ones from a seed.
   *
   * @throws CoppiceError `model-invalid`, saying what is wrong with it; `evaluation-failed`.
   */
  describe(task: Task, seed: number): Promise<{ layout: Layout; weights: Float32Array }>;
  /**
   * Measures loss and accuracy on the held-out data that the coordinator has for this task; `null` where it has none.
   *
   * @throws CoppiceError `evaluation-failed`
   */
  evaluate(task: Task, weights: Float32Array): Promise<Metrics | null>;
  /**
   * Share `share` (0 … of − 1) of a built-in task's training data, cut into `of` random shares: header
   * of four uint32 (count, bytes per feature, features per example, 0), features, padding to four
   * bytes, float32 labels; little-endian.
   *
   * @throws CoppiceError `data-invalid` where there are fewer examples than shares; `evaluation-failed`.
   */
  samples(task: string, share: number, of: number): Promise<Uint8Array>;
  /** Ends all jobs, which are refused as `coordinator-stopping`, and all threads. */
  close(): Promise<void>;
}
