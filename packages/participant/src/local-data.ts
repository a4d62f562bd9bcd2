import type { RawExamples } from '@coppice/datasets';
import type { DataSchema } from '@coppice/protocol';
import type { Dataset } from '@coppice/training';

export type { RawExamples } from '@coppice/datasets';

/** The way in which examples came, by which they are counted and deleted. */
export type Source = 'sample' | 'images' | 'csv' | 'drawn' | 'camera' | 'outcome';

/**
 * `added`: by the person. `sample`: from the coordinator's sample data. `outcome`: an input of a prediction, with the
 * label that became known later.
 */
export type Origin = 'added' | 'sample' | 'outcome';

/** The marks of examples that stay with them until they are deleted. */
export interface Marks {
  /** Random ids, 16 bytes an example. */
  readonly ids: Uint8Array;
  /** When each example was added: milliseconds since 1970 by the coordinator's clock; NaN where that was not known. */
  readonly times: Float64Array;
}

/** Stored examples with their marks, in the order in which they were added. */
export interface OwnExamples extends RawExamples, Marks {
  readonly sources: readonly Source[];
  readonly origins: readonly Origin[];
}

/** Examples as a trainer takes them, with their marks. */
export interface OwnDataset extends Dataset, Marks {}

/** Counts of the stored examples. */
export interface DataSummary {
  readonly count: number;
  /** Examples per class; empty for a regression. */
  readonly perClass: readonly number[];
  readonly bySource: Readonly<Partial<Record<Source, number>>>;
  readonly bytes: number;
  /** Stored examples that are not used, since they were added for a task of another meaning. */
  readonly setAside: number;
}

/**
 * A participant's own data for one task. It has no way to send anything: its holder can train on it, count it and
 * delete it.
 *
 * Every method may throw CoppiceError `storage-full` (nothing was added) or `storage-failed`.
 */
export interface LocalData {
  /**
   * Adds examples, each with a new id and the time.
   *
   * @throws CoppiceError `data-invalid` where sizes disagree, a label is no class, or a number is not finite.
   */
  add(examples: RawExamples, source: Source): Promise<DataSummary>;
  summary(): Promise<DataSummary>;
  /** All examples as they were added, for display and export on the device. */
  examples(): Promise<OwnExamples>;
  /** All examples as a trainer's dataset, in the order in which they were added. Read-only, and not changed later. */
  dataset(): Promise<OwnDataset>;
  /** Deletes the examples of one source; those that are set aside; or all, these among them. */
  clear(which?: Source | 'set-aside'): Promise<DataSummary>;
  /**
   * Deletes single examples. A training that is under way ends with the examples that it began with.
   *
   * @param ids 32 hexadecimal digits each (`exampleIds`); unknown ones are ignored.
   */
  remove(ids: readonly string[]): Promise<DataSummary>;
  /** Calls back after every change, including changes in other tabs where the platform reports them. */
  subscribe(changed: (summary: DataSummary) => void): () => void;
  close(): void;
}

/** Opens a participant's data for one task. */
export type OpenLocalData = (task: string, schema: DataSchema) => Promise<LocalData>;
