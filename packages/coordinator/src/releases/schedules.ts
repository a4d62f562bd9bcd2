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

/** Waits for the due times of all tasks' schedules, by one timer. A change of one task's schedule reads no other one's. */
export class Schedules {
  readonly #o: SchedulesOptions;
  /** Due times, milliseconds since 1970, of the tasks that have a schedule. */
  readonly #due = new Map<string, number>();
  #endWaiting: () => void = () => {};
  #isStopped = false;

  constructor(options: SchedulesOptions) {
    this.#o = options;
  }

  /** Reads the schedules of all tasks, and waits for them. @throws CoppiceError `storage-failed` and its kin */
  async recover(): Promise<void> {
    for (const { id } of this.#o.tasks.all()) await this.#read(id);
    this.#rearm();
  }

  /** Waits by the schedule that a task has now; where it cannot be read, it is read again later. */
  changed(task: string): void {
    void this.#look(task, async () => {});
  }

  stop(): void {
    this.#isStopped = true;
    this.#endWaiting();
  }

  async #read(task: string): Promise<number | null> {
    const at = await this.#o.nextDue(task);
    if (at === null) this.#due.delete(task);
    else this.#due.set(task, at);
    return at;
  }

  #rearm(): void {
    this.#endWaiting();
    if (this.#isStopped || this.#due.size === 0) return;
    const { clock } = this.#o;
    const wait = Math.max(1, Math.min(...this.#due.values()) - clock.now());
    this.#endWaiting = clock.setTimer(wait, () => void this.#areDue());
  }

  async #areDue(): Promise<void> {
    const { clock, due } = this.#o;
    const now = clock.now();
    for (const [task, at] of [...this.#due]) {
      if (at > now) continue;
      await this.#look(task, async () => {
        // A look at the trigger for another reason may have passed it.
        const still = await this.#read(task);
        if (still !== null && still <= clock.now()) await due(task);
      });
    }
    this.#rearm();
  }

  /** Does something about a task, and reads its schedule then. */
  async #look(task: string, work: () => Promise<void>): Promise<void> {
    const { clock, failed } = this.#o;
    try {
      await work();
      await this.#read(task);
    } catch (thrown) {
      failed(CoppiceError.from(thrown));
      this.#due.set(task, clock.now() + STORAGE_RETRY);
    }
    this.#rearm();
  }
}
