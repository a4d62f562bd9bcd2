// The types of the built library, for pages that have no other part of Coppice. docs/embedding.md says more.

/** A failure with a code of docs/errors. */
export class CoppiceError extends Error {
  readonly code: ErrorCode;
  readonly retry: 'never' | 'later' | 'with-current-model' | 'join' | 'reload';
  /** Milliseconds to wait before another attempt; null: unknown. */
  readonly retryAfter: number | null;
}
export type ErrorCode = string;

export interface ConnectOptions {
  /** Address of the coordinator, such as `https://coppice.example`. */
  readonly url: string;
  /** Id of the task. */
  readonly task: string;
  /** Left out: `production`. `latest` is production or else the newest trained model; a hash names one checkpoint. */
  readonly channel?: 'candidate' | 'canary' | 'production' | 'latest' | (string & {});
  /** Milliseconds between two questions for a new release, from 1,000; left out: 60,000. */
  readonly interval?: number;
  /** The consent that the person gave to the watching of predictions; left out: nothing is reported. */
  readonly monitor?: MonitorTerms;
}

/**
 * Predicts with the model that a channel of a task names, and goes on with the next one as soon as there is one.
 *
 * @throws CoppiceError `config-invalid`
 */
export function connect(options: ConnectOptions): Client;

/** A row of a table by the names of its columns. */
export type Row = Readonly<Record<string, unknown>>;

/** A picture in any form that a browser can draw, a row, or an example as devices store it. */
export type Input = ImageBitmapSource | Row | Uint8Array | Float32Array | Float64Array;

interface Stamp {
  readonly id: string;
  /** `<run>/<round>`. */
  readonly checkpoint: string;
  /** SHA-256 of the weights. */
  readonly hash: string;
}

/** Tasks of classes have `classes`, in the task's order; others have `values`, and the first of them as `value` and `unit`. */
export type Prediction =
  | (Stamp & { readonly classes: readonly { readonly name: string; readonly probability: number }[] })
  | (Stamp & {
      readonly value: number;
      readonly unit: string | null;
      readonly values: readonly {
        readonly name: string;
        readonly value: number;
        readonly unit: string | null;
      }[];
    });

export interface ModelInfo {
  readonly checkpoint: string;
  readonly hash: string;
  readonly classes: readonly string[] | null;
}

export interface Status {
  readonly state: 'loading' | 'no-model' | 'ready' | 'offline' | 'refused';
  readonly problem: CoppiceError | null;
}

export interface MonitorTerms {
  readonly consent: string;
  readonly keepInputs?: { readonly days: number };
  readonly invitation?: string;
}

export interface MonitorStatus {
  readonly offered: boolean;
  readonly watched: boolean | null;
  readonly observations: number;
  readonly problem: CoppiceError | null;
}

export interface WatchFacts {
  readonly watched: boolean;
  readonly consent: string | null;
  readonly periodMilliseconds: number | null;
  readonly minimum: number | null;
  readonly columns: readonly string[];
  readonly groups: string | null;
  readonly privacy: { readonly epsilon: number; readonly delta: number } | null;
}

/** A condition on the device for training. */
export type Condition = 'idle' | 'charging' | 'unmetered';

export interface PartTerms {
  readonly terms: string;
  readonly idle?: boolean;
  readonly charging?: boolean;
  readonly unmetered?: boolean;
}

export interface PartStatus {
  readonly state: 'waiting' | 'other-terms' | 'held' | 'needs-data' | 'joined' | 'training';
  readonly run: string | null;
  readonly held: readonly Condition[];
  readonly unknown: readonly Condition[];
  readonly problem: CoppiceError | null;
}

interface Localized {
  readonly en: string;
  readonly zh?: string | undefined;
}
interface Statement {
  readonly label: Localized;
  readonly value: Localized;
}

export interface RunFacts {
  readonly terms: string;
  readonly run: string | null;
  readonly numbers: number;
  readonly bytesPerRound: number;
  readonly label: {
    readonly audience: Statement;
    readonly limit: Statement;
    readonly protection: Statement;
    readonly inference: Localized;
  };
}

/** A message that left the browser for the coordinator. */
export interface Sent {
  readonly kind: string;
  readonly bytes: number;
  readonly tells: string;
}

interface Events {
  readonly model: ModelInfo | null;
  readonly status: Status;
  readonly monitor: MonitorStatus | null;
  readonly part: PartStatus | null;
  readonly sent: Sent;
}

/** A task's released model in this page. */
export interface Client {
  readonly model: ModelInfo | null;
  readonly status: Status;
  predict(input: Input, how?: { readonly count?: boolean }): Promise<Prediction>;
  use(id: string): Promise<boolean>;
  watch(): Promise<WatchFacts>;
  monitor(how: MonitorTerms): Promise<void>;
  unmonitor(): Promise<void>;
  outcome(id: string, label: string | number): Promise<boolean>;
  terms(): Promise<RunFacts>;
  takePart(how: PartTerms): Promise<void>;
  leave(): Promise<void>;
  add(input: Input, label: string | number): Promise<void>;
  on<E extends keyof Events>(event: E, heard: (value: Events[E]) => void): () => void;
  close(): void;
}
