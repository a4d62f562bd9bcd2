import type { DataSchema, Layout, Loss, Measured, Task, Topology, WireError } from '@coppice/protocol';
import type { ExportFacts, ExportFormat } from './model-worker.ts';

/** A job for a thread. */
export type Job =
  | { readonly kind: 'check'; readonly model: unknown; readonly data: DataSchema; readonly loss: Loss | null }
  | { readonly kind: 'layout'; readonly task: Pick<Task, 'id' | 'model' | 'data' | 'loss'> }
  | { readonly kind: 'describe'; readonly task: Task; readonly seed: number }
  | {
      readonly kind: 'evaluate';
      readonly task: Task;
      readonly weights: Float32Array;
      /** First of this job's parts of the test data: every `of`th from here on. */
      readonly share: number;
      readonly of: number;
    }
  | {
      readonly kind: 'export';
      readonly task: Task;
      readonly weights: Float32Array;
      readonly format: ExportFormat;
      readonly facts: ExportFacts;
    }
  /** `bytes`: a file of safetensors, in memory that threads share. */
  | { readonly kind: 'read-weights'; readonly bytes: Uint8Array<SharedArrayBuffer> }
  | {
      readonly kind: 'fit-weights';
      readonly layout: Layout;
      /** A file of safetensors where `of` is null, else the weights of a model with that layout. */
      readonly bytes: Uint8Array<SharedArrayBuffer>;
      readonly of: Layout | null;
    }
  | { readonly kind: 'samples'; readonly task: string; readonly share: number; readonly of: number };

/** Results by kind of job. */
export interface Results {
  check: { topology: Topology; layout: Layout; loss: Loss };
  layout: Layout;
  describe: { layout: Layout; weights: Float32Array };
  /** Sums by part of the test data; `null` where there is none. */
  evaluate: ReadonlyMap<number, Measured> | null;
  'read-weights': { tensors: number; parameters: number };
  'fit-weights': Float32Array<ArrayBuffer>;
  /** The file. */
  export: Uint8Array<ArrayBuffer>;
  samples: Uint8Array;
}

/** A thread's answer to its last job. */
export type Answer = { readonly result: Results[Job['kind']] } | { readonly error: WireError };
