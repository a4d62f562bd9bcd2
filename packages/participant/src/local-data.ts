import type { DataSchema } from '@coppice/protocol';
import type { Dataset } from '@coppice/training';

/**
 * Examples in stored form: one flat block of raw features (pixels 0–255 for images, raw column values for tables) and
 * one label each (class index, or target value).
 */
export interface RawExamples {
  readonly count: number;
  readonly features: Uint8Array | Float32Array;
  readonly labels: Float32Array;
}

/** Origin of examples, by which they are counted and deleted. */
export type Source = 'sample' | 'images' | 'csv' | 'drawn' | 'camera';

/** Counts of the stored examples. */
export interface DataSummary {
  readonly count: number;
  /** Examples per class; empty for a regression. */
  readonly perClass: readonly number[];
  readonly bySource: Readonly<Partial<Record<Source, number>>>;
  readonly bytes: number;
}

/**
 * A participant's own data for one task. It has no way to send anything: its holder can train on it, count it and
 * delete it.
 *
 * Every method may throw CoppiceError `storage-full` (nothing was added) or `storage-failed`.
 */
export interface LocalData {
  /**
   * Adds examples.
   *
   * @throws CoppiceError `data-invalid` where sizes disagree, a label is no class, or a number is not finite.
   */
  add(examples: RawExamples, source: Source): Promise<DataSummary>;
  summary(): Promise<DataSummary>;
  /** All examples as they were added, for display and export on the device. */
  examples(): Promise<RawExamples>;
  /** All examples as a trainer's dataset, in the order in which they were added. Read-only. */
  dataset(): Promise<Dataset>;
  /** Deletes the examples of one source, or all. */
  clear(source?: Source): Promise<DataSummary>;
  /** Calls back after every change, including changes in other tabs where the platform reports them. */
  subscribe(changed: (summary: DataSummary) => void): () => void;
  close(): void;
}

/** Opens a participant's data for one task. */
export type OpenLocalData = (task: string, schema: DataSchema) => Promise<LocalData>;
