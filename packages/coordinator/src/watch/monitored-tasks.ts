import { AlarmBounds, identityOf, judge, type Reference, type WatchRule } from '@coppice/continuity';
import type { EventLog } from '../monitoring/event-log.ts';
import type { Audience } from '../rounds/audience.ts';
import type { PeriodStorage } from '../storage/period-storage.ts';
import { inTurns } from '../turns.ts';
import { alarmsOf } from './alarms.ts';
import { TaskWatch, type TaskWatchOptions } from './task-watch.ts';

/** What all watches have in common. */
interface Shared extends Pick<TaskWatchOptions, 'admissions' | 'clock' | 'spool'> {
  readonly storage: PeriodStorage;
  readonly audience: Pick<Audience, 'send'>;
  readonly events: Pick<EventLog, 'add'>;
}

/** A task to be watched. */
export interface MonitoredTask extends Pick<TaskWatchOptions, 'task' | 'epoch' | 'secret' | 'failed'> {
  /** The reference of the release that is watched. */
  readonly reference: Reference;
  readonly rule: Omit<WatchRule, 'kind'>;
  /** The length of a period in milliseconds. */
  readonly periodMilliseconds: number;
}

/** The tasks that are watched now. Periods that are over are stored with the sums of their reports and the verdict on them. */
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
  async watch({ reference, rule, periodMilliseconds, ...options }: MonitoredTask): Promise<void> {
    const { task } = options;
    const { storage, audience, events, ...shared } = this.#o;
    await this.#watches.get(task)?.stop();
    this.#watches.delete(task);
    const [last] = await storage.periods(task, { limit: 1 });
    const identity = identityOf(reference);
    const bounds = new AlarmBounds(task);
    const watch = new TaskWatch({
      ...options,
      ...shared,
      terms: { binning: reference, periodMilliseconds, minimum: rule.minimum },
      quorum: rule.fewest,
      lastClosed: last?.period ?? null,
      ask: (participant, question) =>
        audience.send([participant], 'ask', { task, kind: 'report', ...question, models: [], since: null }),
      closed: async ({ sums, ...period }) => {
        const verdict = sums === null ? null : await inTurns(judge(sums, reference, bounds, rule));
        await storage.addPeriod({
          ...period,
          task,
          reference: identity,
          release: null,
          noise: 0,
          verdict,
          sums: sums === null ? null : Object.fromEntries([...sums].map(([name, of]) => [name, [...of]])),
        });
        if (verdict !== null) for (const alarm of alarmsOf(task, period.period, verdict)) events.add(alarm);
      },
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
