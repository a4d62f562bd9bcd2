import type { Clock } from '@coppice/ports';
import { type Ask, PIECE_BYTES, type Up } from '@coppice/protocol';
import { reportedLoss } from '../reported.ts';
import type { Activity } from '../session-state.ts';
import type { Line } from './line.ts';
import type { StateStore } from './state-store.ts';

/** How often progress is told to the coordinator, at most, in milliseconds. */
const PROGRESS_INTERVAL = 500;

/** For progress that is none of training. */
const NO_EPOCH = { epoch: 0, epochs: 0, loss: null } as const;

type Training = Omit<Extract<Activity, { kind: 'training' }>, 'kind' | 'round'>;

/** Tells how far the work on a question is: listeners at once, the coordinator now and then. */
export class Progress {
  readonly #line: Line;
  readonly #store: StateStore;
  readonly #clock: Clock;
  #toldAt: number | null = null;

  constructor({ line, store, clock }: { line: Line; store: StateStore; clock: Clock }) {
    this.#line = line;
    this.#store = store;
    this.#clock = clock;
  }

  /** @param signal nothing more is told once it is aborted. */
  of({ run, ticket, round }: Pick<Ask, 'run' | 'ticket' | 'round'>, signal: AbortSignal): QuestionProgress {
    const show = (activity: Activity) => {
      if (!signal.aborted) this.#store.set({ activity });
    };
    const tell = (progress: Omit<Up<'progress'>, 'run' | 'ticket'>) => {
      if (!signal.aborted) this.#tell({ run, ticket, ...progress });
    };
    const pieces = (stage: 'receiving' | 'sending', done: number, of: number) => {
      if (signal.aborted) return;
      this.#line.countTraffic();
      tell({ stage, ...NO_EPOCH, step: done, steps: of });
    };
    return {
      preparing: () => show({ kind: 'preparing', round }),
      receiving(done, of, bytes) {
        show({ kind: 'receiving', round, received: Math.min(done * PIECE_BYTES, bytes), bytes });
        pieces('receiving', done, of);
      },
      evaluating() {
        show({ kind: 'evaluating', round });
        tell({ stage: 'evaluating', ...NO_EPOCH, step: 0, steps: 0 });
      },
      training(progress) {
        show({ kind: 'training', round, ...progress });
        tell({ stage: 'training', ...progress, loss: reportedLoss(progress.loss) });
      },
      sendingBegan: (bytes) => show({ kind: 'sending', round, sent: 0, bytes }),
      sending(done, of, bytes) {
        show({ kind: 'sending', round, sent: Math.min(done * PIECE_BYTES, bytes), bytes });
        pieces('sending', done, of);
      },
      delivered: () => show({ kind: 'delivered', round }),
    };
  }

  #tell(progress: Up<'progress'>): void {
    const now = this.#clock.elapsed();
    if (this.#toldAt !== null && now - this.#toldAt < PROGRESS_INTERVAL) return;
    this.#toldAt = now;
    this.#line.send('progress', progress);
  }
}

/** The stages of a question, in their order. Pieces are counted from 0; `bytes` are those of the whole. */
export interface QuestionProgress {
  preparing(): void;
  receiving(done: number, of: number, bytes: number): void;
  evaluating(): void;
  training(progress: Training): void;
  sendingBegan(bytes: number): void;
  sending(done: number, of: number, bytes: number): void;
  delivered(): void;
}
