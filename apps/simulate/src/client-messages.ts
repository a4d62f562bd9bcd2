import type { BackendName } from '@coppice/training';

/** What a thread of clients is told, once. */
export interface ClientsData {
  readonly url: string;
  readonly run: string;
  /** The secret of an invitation; null where the run asks for none. */
  readonly invitation: string | null;
  readonly seed: number;
  readonly dropout: number;
  readonly backend: BackendName;
  /** All training examples, shared between threads; each client takes its own rows. */
  readonly features: Uint8Array | Float32Array;
  readonly labels: Float32Array;
  readonly featureSize: number;
  readonly clients: readonly { readonly index: number; readonly rows: Uint32Array }[];
}

/** What it tells. */
export type ClientsEvent =
  | { readonly kind: 'joined'; readonly client: number }
  | { readonly kind: 'failed'; readonly message: string };
