import type { Channel, CoppiceError, WatchInfo } from '@coppice/protocol';
import type { Tasks } from '../registry/tasks.ts';
import type { Releases } from '../releases/releases.ts';
import { type ShownTicket, TaskAnswers } from './answers.ts';
import { TaskOffers } from './offers.ts';
import type { Policies } from './policies.ts';
import { WatchedTask, type WatchOptions } from './watched-task.ts';

export interface MonitoredTasksOptions extends WatchOptions {
  readonly tasks: Pick<Tasks, 'get' | 'all'>;
  readonly releases: Pick<Releases, 'at' | 'subscribe'>;
  readonly policies: Pick<Policies, 'subscribe'>;
}

/** The watches of all tasks. They begin and end by themselves, as policies are saved and production moves. */
export class MonitoredTasks {
  readonly offers: TaskOffers;
  /** The way of answers to the questions of tasks: exchanges of other kinds register here too. */
  readonly answers = new TaskAnswers();
  readonly #o: MonitoredTasksOptions;
  readonly #watched = new Map<string, WatchedTask>();
  readonly #ends: readonly (() => void)[];

  constructor(options: MonitoredTasksOptions) {
    this.#o = options;
    const { admissions, audience, policies, releases } = options;
    const tell = (participant: string, task: string, why: CoppiceError) =>
      audience.send([participant], 'notice', { ...why.toWire(), task });
    this.offers = new TaskOffers({ admissions, newSecret: options.newSecret, tell });
    this.#ends = [
      policies.subscribe(({ task }) => void this.#of(task).update()),
      releases.subscribe(({ task, channel }) => {
        if (channel === 'production') void this.#of(task).update();
      }),
    ];
  }

  /** Goes on with the watches of an earlier process. */
  async recover(): Promise<void> {
    await Promise.all(this.#o.tasks.all().map(({ id }) => this.#of(id).update()));
  }

  /** True where participants are asked now. */
  isWatched(task: string): boolean {
    const state = this.#watched.get(task)?.state ?? 'off';
    return state === 'reference' || state === 'reports';
  }

  /** What devices report for a task, and with which bins. @throws CoppiceError `task-unknown` */
  info(task: string): Promise<WatchInfo> {
    return this.#of(task).info();
  }

  /**
   * Whether a ticket opens a model to the participant that shows it: that of an open question the models that it names; that of
   * its offer the one in production and, where it is in the canary's arm, the canary.
   *
   * @param hash of the model's weights.
   * @throws CoppiceError `storage-failed`
   */
  async opens(task: string, shown: ShownTicket, hash: string): Promise<boolean> {
    const { releases, armOf } = this.#o;
    if (this.answers.opens(task, shown, hash)) return true;
    if (!this.offers.holds(task, shown)) return false;
    const isOf = async (channel: Channel) => (await releases.at(task, channel))?.hash === hash;
    return (
      (await isOf('production')) || (armOf(task, shown.participant) === 'canary' && (await isOf('canary')))
    );
  }

  /** Ends all timers. */
  async stop(): Promise<void> {
    for (const end of this.#ends) end();
    await Promise.all([...this.#watched.values()].map((watched) => watched.stop()));
  }

  #of(id: string): WatchedTask {
    const task = this.#o.tasks.get(id);
    let watched = this.#watched.get(id);
    if (watched === undefined) {
      watched = new WatchedTask({ ...this.#o, task, offers: this.offers, answers: this.answers });
      this.#watched.set(id, watched);
    }
    return watched;
  }
}
