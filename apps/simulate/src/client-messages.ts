import type { BackendName } from '@coppice/training';

/** The initial message to a thread of clients. */
export interface ClientsData {
  readonly url: string;
  readonly run: string;
  /** The secret of an invitation; null where the run needs none. */
  readonly invitation: string | null;
  readonly seed: number;
  readonly dropout: number;
  /** The share of the examples that no client trains on. */
  readonly heldOut: number;
  readonly backend: BackendName;
  /** All training examples, shared between threads; each client reads its own rows. */
  readonly features: Uint8Array | Float32Array | Float64Array;
  readonly labels: Float32Array | Float64Array;
  readonly featureSize: number;
  readonly clients: readonly { readonly index: number; readonly rows: Uint32Array }[];
}

/** Messages from a thread of clients. */
export type ClientsEvent =
  | { readonly kind: 'joined'; readonly client: number }
  | { readonly kind: 'failed'; readonly message: string };
