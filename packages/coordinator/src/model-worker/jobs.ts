import type { DataSchema, Layout, Loss, Measured, Task, Topology, WireError } from '@coppice/protocol';

/** A job for a thread. */
export type Job =
  | { readonly kind: 'check'; readonly model: unknown; readonly data: DataSchema; readonly loss: Loss | null }
  | { readonly kind: 'layout'; readonly task: Task }
  | { readonly kind: 'describe'; readonly task: Task; readonly seed: number }
  | {
      readonly kind: 'evaluate';
      readonly task: Task;
      readonly weights: Float32Array;
      /** First of this job's parts of the test data: every `of`th from here on. */
      readonly share: number;
      readonly of: number;
    }
  | { readonly kind: 'samples'; readonly task: string; readonly share: number; readonly of: number };

/** Results by kind of job. */
export interface Results {
  check: { topology: Topology; layout: Layout; loss: Loss };
  layout: Layout;
  describe: { layout: Layout; weights: Float32Array };
  /** Sums by part of the test data; `null` where there is none. */
  evaluate: ReadonlyMap<number, Measured> | null;
  samples: Uint8Array;
}

/** A thread's answer to its last job. */
export type Answer = { readonly result: Results[Job['kind']] } | { readonly error: WireError };
