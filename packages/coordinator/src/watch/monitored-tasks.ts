import { identityOf } from '@coppice/continuity';
import type { Audience } from '../rounds/audience.ts';
import type { PeriodStorage } from '../storage/period-storage.ts';
import { TaskWatch, type TaskWatchOptions } from './task-watch.ts';

/** What all watches have in common. */
interface Shared extends Pick<TaskWatchOptions, 'admissions' | 'clock' | 'spool'> {
  readonly storage: PeriodStorage;
  readonly audience: Pick<Audience, 'send'>;
}

/** The tasks that are watched now. Periods that are over are stored with the sums of their reports. */
export class MonitoredTasks {
  readonly #o: Shared;
  readonly #watches = new Map<string, TaskWatch>();

  constructor(options: Shared) {
    this.#o = options;
  }

  /**
   * Watches a task, in place of a watch with another reference or other terms. It goes on with the period that an earlier
   * process left open.
   *
   * @throws CoppiceError `storage-failed` and its kin where the periods before cannot be read.
   */
  async watch(
    options: Pick<TaskWatchOptions, 'task' | 'terms' | 'quorum' | 'epoch' | 'secret' | 'failed'>,
  ): Promise<void> {
    const { task, terms } = options;
    const { storage, audience, ...shared } = this.#o;
    await this.#watches.get(task)?.stop();
    this.#watches.delete(task);
    const [last] = await storage.periods(task, { limit: 1 });
    const reference = identityOf(terms.binning);
    const watch = new TaskWatch({
      ...options,
      ...shared,
      lastClosed: last?.period ?? null,
      ask: (participant, question) =>
        audience.send([participant], 'ask', { task, kind: 'report', ...question }),
      closed: ({ sums, ...period }) =>
        storage.addPeriod({
          ...period,
          task,
          reference,
          sums: sums === null ? null : Object.fromEntries([...sums].map(([name, of]) => [name, [...of]])),
        }),
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
