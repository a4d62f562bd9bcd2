import type { Clock } from '@coppice/ports';
import { CoppiceError } from '@coppice/protocol';
import type { Tasks } from '../registry/tasks.ts';
import { STORAGE_RETRY } from '../watch/task-watch.ts';

export interface SchedulesOptions {
  readonly tasks: Pick<Tasks, 'all'>;
  readonly clock: Clock;
  /** The next due time of a task's schedule, milliseconds since 1970; null where it has none. */
  readonly nextDue: (task: string) => Promise<number | null>;
  /** Called for a task whose schedule is due; again where it rejects. */
  readonly due: (task: string) => Promise<void>;
  readonly failed: (error: CoppiceError) => void;
}

/** Waits for the due times of all tasks' schedules, by one timer. */
export class Schedules {
  readonly #o: SchedulesOptions;
  #endWaiting: () => void = () => {};
  #isStopped = false;

  constructor(options: SchedulesOptions) {
    this.#o = options;
  }

  /** Waits anew for the next due time of all schedules. @throws CoppiceError `storage-failed` and its kin */
  async rearm(): Promise<void> {
    this.#endWaiting();
    if (this.#isStopped) return;
    const { tasks, clock, nextDue } = this.#o;
    const due: number[] = [];
    for (const { id } of tasks.all()) {
      const at = await nextDue(id);
      if (at !== null) due.push(at);
    }
    if (due.length === 0 || this.#isStopped) return;
    this.#endWaiting();
    const wait = Math.max(1, Math.min(...due) - clock.now());
    this.#endWaiting = clock.setTimer(wait, () => void this.#areDue());
  }

  /** As `rearm`; where it fails, `failed` hears of it. */
  rearmSoon(): void {
    void this.rearm().catch((thrown: unknown) => this.#o.failed(CoppiceError.from(thrown)));
  }

  stop(): void {
    this.#isStopped = true;
    this.#endWaiting();
  }

  async #areDue(): Promise<void> {
    const { tasks, clock, nextDue, due, failed } = this.#o;
    try {
      for (const { id } of tasks.all()) {
        const at = await nextDue(id);
        if (at !== null && at <= clock.now()) await due(id);
      }
    } catch (thrown) {
      failed(CoppiceError.from(thrown));
      if (!this.#isStopped) this.#endWaiting = clock.setTimer(STORAGE_RETRY, () => void this.#areDue());
      return;
    }
    this.rearmSoon();
  }
}
