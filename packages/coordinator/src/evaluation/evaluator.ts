import type { DataSchema, Layout, Loss, Metrics, Task, Topology } from '@coppice/protocol';

/** What needs a machine-learning library, kept away from the process that holds the sockets. */
export interface Evaluator {
  /**
   * Checks a model that someone brought, the content of a `model.json` or a topology alone, and gives
   * back its topology.
   *
   * @throws CoppiceError `model-invalid`, saying what is wrong with it.
   */
  check(model: unknown, data: DataSchema, loss: Loss): Promise<Topology>;
  /**
   * How a task's weights lie: all there is to know of them but their numbers.
   *
   * @throws CoppiceError `model-invalid`, saying what is wrong with it.
   */
  layout(task: Task): Promise<Layout>;
  /**
   * A task's layout and the first weights that a seed gives it.
   *
   * @throws CoppiceError `model-invalid`, saying what is wrong with it.
   */
  describe(task: Task, seed: number): Promise<{ layout: Layout; weights: Float32Array }>;
  /** Loss and accuracy on the held-out data that the coordinator has for this task, or `null` where it has none. */
  evaluate(task: Task, weights: Float32Array): Promise<Metrics | null>;
  /**
   * Share `share` (0 … of − 1) of a built-in task's training data, cut into `of` random shares: header
   * of four uint32 (count, bytes per feature, features per example, 0), features, padding to four
   * bytes, float32 labels; little-endian.
   */
  samples(task: string, share: number, of: number): Promise<Uint8Array>;
  close(): Promise<void>;
}
