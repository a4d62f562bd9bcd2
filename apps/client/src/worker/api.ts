import type { QualityFinding, SkippedRows, UnlistedValues } from '@coppice/datasets';
import type { ColumnMapping, LabelMap, ReadingChoices } from '@coppice/datasets/reading';
import type { DataSummary, MonitorTerms, SessionState, Source } from '@coppice/participant';
import type { TaskInfo } from '@coppice/protocol';
import type { BackendName } from '@coppice/training';
import type { Effort } from '../care/strain.ts';
import type { ExampleList } from './example-list.ts';
import type { TableFit, TableView } from './open-table.ts';

/** A picture from the page: a dropped file, or the pixels of a canvas. */
export type PictureSource = Blob | ImageBitmap;

/** A model's prediction: a probability for each class, or one value in the target's unit. */
export interface Prediction {
  readonly round: number;
  readonly output: readonly number[];
}

/**
 * Predictions of the first global model that this page received and of the newest one. A page opened after the run's
 * end received no first one.
 */
export interface Comparison {
  readonly before: Prediction | null;
  readonly after: Prediction;
}

/** The released model that predicts here. */
export interface ReleasedModel {
  readonly task: string;
  /** SHA-256 of its weights. */
  readonly hash: string;
}

/** A prediction by the released model. */
export interface ReleasedPrediction {
  /** Names it for `correct` and `use`. */
  readonly id: string;
  /** `<run>/<round>`. */
  readonly checkpoint: string;
  readonly output: readonly number[];
}

/** An example to ask the model about: raw features, and the true label; NaN where it is not known. */
export interface OwnExample {
  readonly features: readonly number[];
  readonly label: number;
}

/** The worker's interface to the page (through comlink). All heavy work happens in the worker. */
export interface ClientApi {
  /** Calls back at once, and with every new state, at most fifteen times a second. */
  subscribe(changed: (state: SessionState) => void): Promise<void>;
  /** `known`: the last task seen, whose examples can be opened without the coordinator. */
  connect(known: TaskInfo | null): Promise<void>;
  /** Runs to watch beside the joined one. Where called before `connect`, they are in the first list. */
  watch(runs: readonly string[]): Promise<void>;
  /** `invitation`: the secret of an invitation, for a run that requires one. */
  join(run: string, invitation: string | null): Promise<void>;
  leave(): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** The share of the device's time that training may take, from the next batch on. */
  setShare(share: number): Promise<void>;
  /** The backend from the next piece of work on; null: the fastest, by measurement. */
  setBackend(backend: BackendName | null): Promise<void>;
  /** Calls back about once a second of training with its duration. */
  watchEffort(told: (effort: Effort) => void): Promise<void>;

  /** Opens this device's examples of a task, joined or not. The methods below refer to it. */
  openTask(task: string): Promise<DataSummary>;
  subscribeData(changed: (summary: DataSummary) => void): Promise<void>;
  /** Fetches a random share of about `examples` from the coordinator's sample data. */
  addSample(examples: number): Promise<DataSummary>;
  /** Adds pictures of one class; `unreadable`: the places of those that cannot be read, from 0. */
  addPictures(
    pictures: readonly PictureSource[],
    label: number,
    source: Source,
  ): Promise<{ summary: DataSummary; unreadable: readonly number[] }>;
  /** Converts a picture to the task's pixels, 0–255. Nothing is stored. */
  preparePicture(picture: PictureSource): Promise<Uint8Array>;
  /** Reads a table, which stays open until it is added, closed, or another is opened. Nothing is stored. */
  openTable(file: Blob, choices: ReadingChoices): Promise<TableView>;
  /** What the rows of the open table would become. */
  fitTable(mapping: ColumnMapping, labels: LabelMap): Promise<TableFit>;
  /**
   * Adds the rows of the open table that fit, `added` of them, possibly none; `skipped` gives the reasons for the others,
   * `unlisted` the categories that were taken as any other value.
   */
  addTable(
    mapping: ColumnMapping,
    labels: LabelMap,
  ): Promise<{
    summary: DataSummary;
    added: number;
    skipped: readonly SkippedRows[];
    unlisted: readonly UnlistedValues[];
  }>;
  closeTable(): Promise<void>;
  /** The first rows of a file that fit, to ask the model about. Nothing is stored. */
  rowsOf(file: Blob): Promise<readonly OwnExample[]>;
  clearData(which?: Source | 'set-aside'): Promise<DataSummary>;
  /** A part of the list of examples, the newest first; `label`: those of one class, null: all. */
  listExamples(part: { label: number | null; from: number; count: number }): Promise<ExampleList>;
  /** Deletes single examples by their ids. */
  removeExamples(ids: readonly string[]): Promise<DataSummary>;
  /** Exports all examples of this task as CSV of features and label. */
  exportData(): Promise<Blob>;
  checkQuality(): Promise<readonly QualityFinding[]>;
  /** A random example of this device; `null` where there are none. */
  randomExample(): Promise<OwnExample | null>;

  /**
   * Predicts a picture; `null` while no model has arrived. `over`: an ended run, whose last model is fetched where none
   * arrived.
   */
  predictPicture(picture: PictureSource, over: string | null): Promise<Comparison | null>;
  /** Calls back whenever another released model predicts; `null`: none does. */
  subscribeReleased(changed: (model: ReleasedModel | null) => void): Promise<void>;
  /**
   * Predicts with the model that is released for the task: production, or the canary for a device in its arm. `null` where
   * nothing is released.
   *
   * @param input a picture, or raw features.
   */
  predictReleased(input: PictureSource | readonly number[]): Promise<ReleasedPrediction | null>;
  /** Counts one of the last predictions of the released model, where the task is monitored. A sketch that goes on is none. */
  use(id: string): Promise<void>;
  /**
   * Counts the outcome of one of these predictions, and keeps its input as an example where the person agreed to that.
   *
   * @param label the index of the class, or the number in the target's unit.
   * @returns false where the prediction is not known any more.
   */
  correct(id: string, label: number): Promise<boolean>;

  /** Reports on a task from now on; see `Session.monitor`. */
  monitor(task: string, terms: MonitorTerms): Promise<void>;
  unmonitor(task: string): Promise<void>;
  /** Tells whether the page is seen. While it is not, no new release is asked for; what was counted is written at once. */
  seen(isSeen: boolean): Promise<void>;

  /** Predicts raw features (pixels 0–255, or column values). */
  predictFeatures(features: readonly number[], over: string | null): Promise<Comparison | null>;
}
