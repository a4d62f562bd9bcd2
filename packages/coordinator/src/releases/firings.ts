import type { Clock } from '@coppice/ports';
import { type CoppiceError, type Firing, FiringSchema, type WatchedPeriod } from '@coppice/protocol';
import type { EventLog } from '../monitoring/event-log.ts';
import type { Runs } from '../registry/runs.ts';
import type { Tasks } from '../registry/tasks.ts';
import type { FiringPage, StoredFiring } from '../storage/firing-storage.ts';
import type { PeriodStorage } from '../storage/period-storage.ts';
import type { PolicyStorage } from '../storage/policy-storage.ts';
import type { Storage } from '../storage/storage.ts';
import type { Comparisons, StepDeps } from './firing-steps.ts';
import { Launches, type Occasion } from './launches.ts';
import { OpenFirings } from './open-firings.ts';
import { PeriodHistory } from './period-history.ts';
import type { Releases } from './releases.ts';
import { Schedules } from './schedules.ts';
import { TaskLanes } from './task-lanes.ts';

export interface FiringsOptions {
  readonly storage: PolicyStorage &
    PeriodStorage &
    Pick<
      Storage,
      | 'addFiring'
      | 'putFiring'
      | 'openFiring'
      | 'openFirings'
      | 'firings'
      | 'releases'
      | 'rounds'
      | 'latestOfRun'
    >;
  readonly tasks: Pick<Tasks, 'all' | 'get'>;
  readonly runs: Pick<Runs, 'create' | 'act' | 'giveUp' | 'all' | 'get' | 'has' | 'subscribe'>;
  readonly releases: Pick<Releases, 'at' | 'move' | 'subscribe'>;
  readonly comparisons: Comparisons;
  readonly admissions: StepDeps['admissions'];
  readonly events: Pick<EventLog, 'add'>;
  readonly clock: Clock;
  /** Draws the secret of a canary. */
  readonly newSecret: () => string;
  /** Called for a failure after which a step is tried again. */
  readonly failed: (error: CoppiceError) => void;
}

/** The firings of all tasks' triggers: looks at triggers when a period, a schedule or an admin gives occasion to. */
export class Firings {
  readonly #o: FiringsOptions;
  readonly #history: PeriodHistory;
  readonly #lanes = new TaskLanes();
  readonly #launches: Launches;
  readonly #open: OpenFirings;
  readonly #schedules: Schedules;
  #isStopped = false;

  constructor(options: FiringsOptions) {
    this.#o = options;
    const { tasks, clock, failed } = options;
    this.#history = new PeriodHistory(options.storage);
    const shared = { ...options, history: this.#history };
    this.#launches = new Launches(shared);
    this.#open = new OpenFirings({ ...shared, lanes: this.#lanes });
    this.#schedules = new Schedules({
      tasks,
      clock,
      failed,
      nextDue: (task) => this.#launches.nextDue(task),
      due: (task) => this.#lanes.of(task)(async () => void (await this.#look(task, 'schedule'))),
    });
  }

  get canaries() {
    return this.#open.canaries;
  }

  /** Goes on with the firings that an earlier process left open, and waits for schedules. @throws CoppiceError `storage-failed` and its kin */
  async recover(): Promise<void> {
    await this.#open.recover();
    for (const { id } of this.#o.tasks.all()) await this.#lookAgain(id);
    await this.#schedules.recover();
  }

  /** Looks at the newest period, where the process ended after that was stored and before it was looked at. */
  async #lookAgain(task: string): Promise<void> {
    const [newest] = await this.#o.storage.periods(task, { limit: 1 });
    if (newest !== undefined) await this.judged(newest);
  }

  /** Ends all timers. What goes on is as it was stored, for the next process. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#schedules.stop();
    this.#open.stop();
    await this.#lanes.idle();
  }

  /** A page of a task's firings, newest first. @throws CoppiceError `task-unknown` */
  async page(task: string, page: FiringPage): Promise<Firing[]> {
    const found = await this.#o.storage.firings(this.#o.tasks.get(task).id, page);
    return found.map(shown);
  }

  /**
   * Fires by hand.
   *
   * @returns the firing, its run launched where that was possible at once.
   * @throws CoppiceError `task-unknown`; `firing-refused` where the task has no policy or no production, another firing goes
   *   on, or the budget is spent.
   */
  async fire(taskId: string): Promise<Firing> {
    const task = this.#o.tasks.get(taskId).id;
    return this.#lanes.of(task)(async () => {
      const firing = await this.#look(task, 'by-hand');
      if (firing === null) throw new Error(`The trigger of ${task} neither fired by hand nor refused.`);
      return shown(firing);
    });
  }

  /**
   * Looks at a period that was judged and stored: at the canary of the open firing or, where none is open, at the trigger. A
   * period that is given twice is looked at once.
   *
   * @throws CoppiceError `storage-failed` and its kin; then the period is to be given again.
   */
  async judged(period: WatchedPeriod): Promise<void> {
    const { task } = period;
    await this.#lanes.of(task)(async () => {
      if (this.#isStopped) return;
      await this.#history.add(period);
      const open = await this.#o.storage.openFiring(task);
      if (open !== null) return this.#open.judged(open, period);
      const [last] = await this.#o.storage.firings(task, { limit: 1 });
      // It was looked at while that firing went on.
      if ((last?.endedAt ?? 0) >= period.endedAt) return;
      await this.#look(task, 'period');
    });
  }

  /** Waits by the schedule that a task has now: its policy was saved. */
  policyChanged(task: string): void {
    this.#schedules.changed(task);
  }

  /** Looks at a trigger. @returns the firing that it began, carried on as far as possible; null where it waits. */
  async #look(task: string, occasion: Occasion): Promise<StoredFiring | null> {
    const firing = await this.#launches.begin(task, occasion);
    return firing === null ? null : this.#open.begin(firing);
  }
}

/** The firing as operators see it: without the secret of its canary. */
function shown(firing: StoredFiring): Firing {
  return FiringSchema.parse(firing);
}
