import type { DataSchema, Metrics, RoundEnd } from '@coppice/protocol';
import type { BackendName, ModelDescription } from '@coppice/training';
import type { Trace } from './trace.ts';

/** The initial message to a thread of clients. */
export interface ClientsData {
  readonly kind: 'begin';
  readonly url: string;
  readonly run: string;
  /** The secret of an invitation; null where the run needs none. */
  readonly invitation: string | null;
  readonly seed: number;
  readonly dropout: number;
  readonly behaviour: Trace;
  /** The share of the examples that no client trains on. */
  readonly heldOut: number;
  readonly backend: BackendName;
  /** A folder for what clients keep between rounds; null: it is kept in memory. */
  readonly stateDir: string | null;
  /** False where the run is over: clients only measure. */
  readonly join: boolean;
  /** All training examples, shared between threads; each client reads its own rows. */
  readonly features: Uint8Array | Float32Array | Float64Array;
  readonly labels: Float32Array | Float64Array;
  readonly featureSize: number;
  readonly clients: readonly { readonly index: number; readonly rows: Uint32Array }[];
}

/** Measures a model on each client's own examples. */
export interface MeasureCommand {
  readonly kind: 'measure';
  readonly model: ModelDescription;
  readonly weights: Float32Array;
  readonly data: DataSchema;
}

/** A model on the examples of one client. */
export interface ClientMeasure {
  /** From 0. */
  readonly client: number;
  readonly metrics: Metrics;
}

/** Messages from a thread of clients. */
export type ClientsEvent =
  | { readonly kind: 'joined'; readonly client: number }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }
  /** The end of a round, as the first client hears of it. */
  | { readonly kind: 'round'; readonly round: RoundEnd }
  | { readonly kind: 'measured'; readonly measures: readonly ClientMeasure[] };
