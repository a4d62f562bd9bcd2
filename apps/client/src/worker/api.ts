import type { CsvMapping, CsvPreview, QualityFinding, SkippedRows } from '@coppice/datasets';
import type { DataSummary, SessionState, Source } from '@coppice/participant';
import type { TaskInfo } from '@coppice/protocol';
import type { BackendName } from '@coppice/training';
import type { Effort } from '../care/strain.ts';

/** A picture as the page has it: a dropped file, or the pixels of a canvas. */
export type PictureSource = Blob | ImageBitmap;

/** One answer of a model: a probability for each class, or one value. */
export interface Prediction {
  readonly round: number;
  readonly output: readonly number[];
}

/**
 * The same question asked of the first global model that this page saw and of the newest one. A page
 * opened after the run's end saw no first one.
 */
export interface Comparison {
  readonly before: Prediction | null;
  readonly after: Prediction;
}

/** An example of one's own, to ask the model about: raw features, and what it really is. */
export interface OwnExample {
  readonly features: readonly number[];
  readonly label: number;
}

/** What the page may ask of its worker (through comlink). Everything heavy happens over there. */
export interface ClientApi {
  /** Called with every new state, fifteen times a second at most, and once at once. */
  subscribe(changed: (state: SessionState) => void): Promise<void>;
  /** `known`: the task last seen, whose examples can be opened without the coordinator. */
  connect(known: TaskInfo | null): Promise<void>;
  /** Runs to hear of beside the one that was joined, and beside those that come. Said before `connect`, they are known with the first list. */
  watch(runs: readonly string[]): Promise<void>;
  /** `invitation`: the secret of one, for a run that asks for it. */
  join(run: string, invitation: string | null): Promise<void>;
  leave(): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** The share of the device's time that training may take, from the next batch on. */
  setShare(share: number): Promise<void>;
  /** How to compute from the next piece of work on; null: what is measured to be the fastest. */
  setBackend(backend: BackendName | null): Promise<void>;
  /** Called about once a second of training with how long it took. */
  watchEffort(told: (effort: Effort) => void): Promise<void>;

  /** Opens the examples kept on this device for a task, joined or not. All that follow are about them. */
  openTask(task: string): Promise<DataSummary>;
  subscribeData(changed: (summary: DataSummary) => void): Promise<void>;
  /** Fetches a random share of about `examples` from the coordinator's sample data. */
  addSample(examples: number): Promise<DataSummary>;
  /** Pictures of one class; those that cannot be read are named. */
  addPictures(
    pictures: readonly PictureSource[],
    label: number,
    source: Source,
  ): Promise<{ summary: DataSummary; unreadable: number }>;
  /** A picture as an example of it would be: the task's pixels, 0–255. Nothing is kept. */
  preparePicture(picture: PictureSource): Promise<Uint8Array>;
  previewCsv(text: string): Promise<{ preview: CsvPreview; mapping: CsvMapping }>;
  /** Keeps the rows that fit, `added` of them and maybe none; `skipped` says why the others do not. */
  addCsv(
    text: string,
    mapping: CsvMapping,
  ): Promise<{ summary: DataSummary; added: number; skipped: readonly SkippedRows[] }>;
  clearData(source?: Source): Promise<DataSummary>;
  /** Everything kept for this task, for the person to have: CSV of features and label. */
  exportData(): Promise<Blob>;
  checkQuality(): Promise<readonly QualityFinding[]>;
  /** One of one's own examples at random; `null` without any. */
  randomExample(): Promise<OwnExample | null>;

  /**
   * Asks about a picture; `null` while no model has arrived. `over`: a run that has ended, whose last
   * model is fetched and asked where none arrived.
   */
  predictPicture(picture: PictureSource, over: string | null): Promise<Comparison | null>;
  /** Asks about raw features (pixels 0–255, or column values). */
  predictFeatures(features: readonly number[], over: string | null): Promise<Comparison | null>;
}
