import type { Audience } from '../rounds/audience.ts';
import { TaskWatch, type TaskWatchOptions } from './task-watch.ts';

type Shared = Pick<TaskWatchOptions, 'admissions' | 'clock' | 'spool'>;

/** The tasks that are watched now. */
export class MonitoredTasks {
  readonly #shared: Shared;
  readonly #audience: Pick<Audience, 'send'>;
  readonly #watches = new Map<string, TaskWatch>();

  constructor(shared: Shared, audience: Pick<Audience, 'send'>) {
    this.#shared = shared;
    this.#audience = audience;
  }

  /**
   * Watches a task, in place of a watch with another reference or other terms.
   *
   * @throws CoppiceError `storage-failed` where the period that was open cannot be read.
   */
  async watch(options: Omit<TaskWatchOptions, keyof Shared | 'ask'>): Promise<void> {
    const { task } = options;
    await this.#watches.get(task)?.stop();
    this.#watches.delete(task);
    const watch = new TaskWatch({
      ...options,
      ...this.#shared,
      ask: (participant, question) =>
        this.#audience.send([participant], 'ask', { task, kind: 'report', ...question }),
    });
    await watch.start();
    this.#watches.set(task, watch);
  }

  /** @returns `null` where the task is not watched. */
  get(task: string): TaskWatch | null {
    return this.#watches.get(task) ?? null;
  }

  /** Forgets a participant whose connection ended. */
  goes(participant: string): void {
    for (const watch of this.#watches.values()) watch.goes(participant);
  }

  /** Ends all timers. */
  async stop(): Promise<void> {
    await Promise.all([...this.#watches.values()].map((watch) => watch.stop()));
  }
}
