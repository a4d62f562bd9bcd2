import type { DataSchema, Layout, Loss, Metrics, Task, Topology, WireError } from '@coppice/protocol';

/** What the evaluation worker is asked. */
export type Question =
  | { readonly kind: 'check'; readonly model: unknown; readonly data: DataSchema; readonly loss: Loss }
  | { readonly kind: 'layout'; readonly task: Task }
  | { readonly kind: 'describe'; readonly task: Task; readonly seed: number }
  | {
      readonly kind: 'evaluate';
      readonly task: Task;
      readonly weights: Float32Array;
      /** Which parts of the test data: every `of`th, from this one on. */
      readonly share: number;
      readonly of: number;
    }
  | { readonly kind: 'samples'; readonly task: string; readonly share: number; readonly of: number };

export interface Answers {
  check: Topology;
  layout: Layout;
  describe: { layout: Layout; weights: Float32Array };
  /** By part of the test data; `null` where there is none. */
  evaluate: ReadonlyMap<number, Metrics> | null;
  samples: Uint8Array;
}

export interface Request {
  readonly id: number;
  readonly question: Question;
}

export type Response =
  | { readonly id: number; readonly answer: Answers[keyof Answers] }
  | { readonly id: number; readonly error: WireError };
