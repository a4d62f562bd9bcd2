import {
  type ClusterSums,
  decide,
  dueAfter,
  type Guard,
  guardEvidence,
  parseCron,
  type TriggerReason,
} from '@coppice/continuity';
import type { Clock } from '@coppice/ports';
import {
  CoppiceError,
  completePlan,
  type Firing,
  FiringSchema,
  PlanInputSchema,
  type Release,
  type WatchedPeriod,
} from '@coppice/protocol';
import type { EventLog } from '../monitoring/event-log.ts';
import type { Runs } from '../registry/runs.ts';
import type { Tasks } from '../registry/tasks.ts';
import type { FiringPage, StoredFiring } from '../storage/firing-storage.ts';
import { oneAtATime } from '../storage/one-at-a-time.ts';
import type { PeriodStorage } from '../storage/period-storage.ts';
import type { PolicyStorage, StoredPolicy } from '../storage/policy-storage.ts';
import type { Storage } from '../storage/storage.ts';
import { STORAGE_RETRY } from '../watch/task-watch.ts';
import { FiringCanaries } from './canaries.ts';
import { hindered } from './firing-causes.ts';
import { beganEvent, changeEvent, hinderedEvent } from './firing-events.ts';
import {
  byHandAlone,
  lastLaunch,
  newExamples,
  periodAt,
  periodOf,
  periodsNeeded,
  recentSince,
  spentIn,
  unknownCost,
  verdictsOn,
} from './firing-evidence.ts';
import { type FiringEvidence, next, stepOf } from './firing-machine.ts';
import { isMoveOf } from './firing-moves.ts';
import { type Comparisons, carryOut, compare, type StepDeps } from './firing-steps.ts';
import { PeriodHistory } from './period-history.ts';
import type { Releases } from './releases.ts';

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
  readonly runs: Pick<Runs, 'create' | 'act' | 'all' | 'get' | 'has' | 'subscribe'>;
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

/** Failures in a row beyond which a cool-down grows no longer: 2⁴ is the largest factor. */
const LONGEST_ROW = 4;

/** The reason to look at a trigger. */
type Occasion = 'period' | 'schedule' | 'by-hand';

/** The firings of all tasks' triggers: begins them, and carries each on until it has ended. */
export class Firings {
  readonly canaries = new FiringCanaries();
  readonly #o: FiringsOptions;
  readonly #history: PeriodHistory;
  /** What concerns a task is done one at a time. */
  readonly #lanes = new Map<string, ReturnType<typeof oneAtATime>>();
  readonly #open = new Map<string, StoredFiring>();
  /** The number of the comparison of each task that is open in this process. */
  readonly #comparing = new Map<string, number>();
  /** Milliseconds since 1970 until which the schedule of a task was looked at. */
  readonly #lookedAt = new Map<string, number>();
  /** The hindrances that were told last, of tasks whose launch is hindered. */
  readonly #told = new Map<string, string>();
  readonly #timers = new Map<string, () => void>();
  #schedule: () => void = () => {};
  #isStopped = false;
  readonly #unsubscribe: readonly (() => void)[];

  constructor(options: FiringsOptions) {
    this.#o = options;
    this.#history = new PeriodHistory(options.storage);
    this.#unsubscribe = [
      options.releases.subscribe((move) => this.#moved(move)),
      options.runs.subscribe({
        runChanged: (run) => this.#runChanged(run),
        roundChanged: () => {},
        participantsChanged: () => {},
      }),
    ];
  }

  /** Goes on with the firings that an earlier process left open, and waits for schedules. @throws CoppiceError `storage-failed` and its kin */
  async recover(): Promise<void> {
    for (const firing of await this.#o.storage.openFirings()) {
      this.#open.set(firing.task, firing);
      const move = await this.#o.releases.at(firing.task, 'canary');
      if (move !== null) this.canaries.moved(move, firing);
      this.#carryOnSoon(firing.task);
    }
    for (const { id } of this.#o.tasks.all()) await this.#lookAgain(id);
    await this.#rearm();
  }

  /** Looks at the newest period, where the process ended after that was stored and before it was looked at. */
  async #lookAgain(task: string): Promise<void> {
    const [newest] = await this.#o.storage.periods(task, { limit: 1 });
    if (newest !== undefined) await this.judged(newest);
  }

  /** Ends all timers. What goes on is as it was stored, for the next process. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#schedule();
    for (const end of [...this.#unsubscribe, ...this.#timers.values()]) end();
    await Promise.all([...this.#lanes.values()].map((lane) => lane(async () => {})));
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
    return this.#lane(task)(async () => {
      const firing = await this.#look(task, 'by-hand');
      if (firing === null) throw new Error(`The trigger of ${task} neither fired by hand nor refused.`);
      return shown(await this.#carryOnOrRetry(firing));
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
    await this.#lane(task)(async () => {
      if (this.#isStopped) return;
      await this.#history.add(period);
      const open = await this.#o.storage.openFiring(task);
      if (open === null) {
        const [last] = await this.#o.storage.firings(task, { limit: 1 });
        // It was looked at while that firing went on.
        if ((last?.endedAt ?? 0) >= period.endedAt) return;
        const firing = await this.#look(task, 'period');
        if (firing !== null) await this.#carryOnOrRetry(firing);
        return;
      }
      const waiting = stepOf(open);
      const evidence =
        waiting.step !== 'await-period'
          ? null
          : waiting.of === 'comparison'
            ? ({ kind: 'compare-again', period: period.period } as const)
            : this.#canaryLook(open, period);
      await this.#carryOnOrRetry(await this.#take(open, evidence));
    });
  }

  /** Waits anew for the next due time of all schedules: a policy was saved. */
  rearmSoon(): void {
    void this.#rearm().catch((thrown: unknown) => this.#o.failed(CoppiceError.from(thrown)));
  }

  async #rearm(): Promise<void> {
    this.#schedule();
    if (this.#isStopped) return;
    const due: number[] = [];
    for (const { id } of this.#o.tasks.all()) {
      const at = await this.#nextDue(id);
      if (at !== null) due.push(at);
    }
    if (due.length === 0 || this.#isStopped) return;
    this.#schedule();
    const wait = Math.max(1, Math.min(...due) - this.#o.clock.now());
    this.#schedule = this.#o.clock.setTimer(wait, () => void this.#schedulesDue());
  }

  // ---- the trigger

  async #schedulesDue(): Promise<void> {
    try {
      for (const { id } of this.#o.tasks.all()) {
        const at = await this.#nextDue(id);
        if (at === null || at > this.#o.clock.now()) continue;
        await this.#lane(id)(async () => {
          const firing = await this.#look(id, 'schedule');
          if (firing !== null) await this.#carryOnOrRetry(firing);
        });
      }
    } catch (thrown) {
      this.#o.failed(CoppiceError.from(thrown));
      this.#schedule = this.#o.clock.setTimer(STORAGE_RETRY, () => void this.#schedulesDue());
      return;
    }
    this.rearmSoon();
  }

  /** Milliseconds since 1970; null where the task has no schedule. */
  async #nextDue(task: string): Promise<number | null> {
    const stored = await this.#o.storage.policy(task);
    const line = stored?.policy?.trigger?.schedule ?? null;
    const schedule = line === null ? null : parseCron(line);
    if (stored === null || schedule === null) return null;
    return dueAfter(schedule, await this.#scheduleLookedAt(task, stored));
  }

  /** After a restart, a due time is not missed: it counts from the last period, firing or policy on. */
  async #scheduleLookedAt(task: string, { at }: StoredPolicy): Promise<number> {
    const known = this.#lookedAt.get(task);
    if (known !== undefined) return Math.max(known, at);
    const [last] = await this.#o.storage.firings(task, { limit: 1 });
    const newest = await this.#history.newest(task);
    return Math.max(at, last?.at ?? 0, newest?.endedAt ?? 0);
  }

  /** Decides by the trigger of a task's policy. @returns the firing that begins; null where it waits. */
  async #look(task: string, occasion: Occasion): Promise<StoredFiring | null> {
    const { storage, clock } = this.#o;
    const now = clock.now();
    const stored = await storage.policy(task);
    const firing = await this.#decide(task, stored, { byHand: occasion === 'by-hand', now });
    // A due time that was hindered is past: the next one counts.
    if (occasion !== 'by-hand' || firing !== null) this.#lookedAt.set(task, now);
    return firing;
  }

  async #decide(
    task: string,
    stored: StoredPolicy | null,
    { byHand, now }: { byHand: boolean; now: number },
  ): Promise<StoredFiring | null> {
    const { storage, releases, events, newSecret } = this.#o;
    const policy = stored?.policy ?? null;
    if (stored === null || policy === null || (policy.trigger === null && !byHand)) {
      if (byHand) throw cannotFire(task, 'it has no policy. Save one first: it says by which plan to train');
      return null;
    }
    const production = await releases.at(task, 'production');
    if (production === null || production.checkpoint === null || production.hash === null) {
      if (byHand) throw cannotFire(task, 'its channel production names no checkpoint. Release one first');
      return null;
    }
    const rule = policy.trigger ?? byHandAlone;
    const running = (await storage.openFiring(task)) !== null;
    if (running && !byHand) return null;
    const newest = await this.#history.newest(task);
    const [before] = await storage.firings(task, { limit: 1 });
    const period = Math.max(
      newest?.period ?? -1,
      before === undefined ? -1 : periodAt(now, before, policy.periodMilliseconds),
    );
    const firings = await this.#firingsSince(task, period - rule.budget.periods);
    const last = lastLaunch(firings);
    const needsExamples = rule.newExamples !== null || last?.refused === true;
    const periods = await this.#history.upTo(task, {
      least: periodsNeeded(rule),
      isNeeded: (one) =>
        last === null ? needsExamples && one.startedAt >= production.at : one.period > last.period,
    });
    const { act, why } = decide<'trigger'>(rule, {
      period,
      newest: newest?.period ?? -1,
      verdicts: verdictsOn(periods, production.sequence),
      now,
      lookedAt: await this.#scheduleLookedAt(task, stored),
      newExamples: newExamples(periods, last, production.at),
      byHand,
      running,
      last,
      spent: spentIn(firings, { after: period - rule.budget.periods }),
      cost: this.#costOfLaunch(task, policy.plan, firings),
    });
    if (act === 'wait') {
      if (byHand) throw hindered(task, why);
      this.#tellHindrance(task, period, why);
      return null;
    }
    this.#told.delete(task);
    const firing = await storage.addFiring({
      task,
      at: now,
      period: newest?.period ?? null,
      causes: why.map((reason) => ({ ...reason })),
      policy: stored.version,
      production: production.checkpoint,
      state: 'launching',
      run: null,
      candidate: null,
      comparison: null,
      canary: null,
      outcome: null,
      endedAt: null,
      release: null,
      spent: unknownCost,
      rules: policy,
      secret: newSecret(),
      basis: { sequence: production.sequence, hash: production.hash },
      since: recentSince(why, rule, { periods, releasedAt: production.at }),
      isNamed: false,
      hash: null,
      comparisons: 0,
      looked: newest?.period ?? -1,
      canarySince: null,
      ending: null,
    });
    this.#open.set(task, firing);
    events.add(beganEvent(firing));
    return firing;
  }

  /** The firings after a period, and those of the last row of failures; newest first. */
  async #firingsSince(task: string, period: number): Promise<StoredFiring[]> {
    const found: StoredFiring[] = [];
    for (;;) {
      const last = found.at(-1);
      const own = found.filter(({ outcome }) => outcome !== 'overtaken');
      const endsRow = own.length > LONGEST_ROW || own.some(({ outcome }) => outcome === 'released');
      if (last !== undefined && periodOf(last) <= period && endsRow) return found;
      const page = await this.#o.storage.firings(task, last === undefined ? {} : { before: last.sequence });
      if (page.length === 0) return found;
      found.push(...page);
    }
  }

  /** Rounds by the plan; bytes and device-seconds as in the last launch of which they are known. */
  #costOfLaunch(task: string, given: object, firings: readonly StoredFiring[]) {
    const plan = PlanInputSchema.safeParse(given);
    const rounds = plan.success ? completePlan(this.#o.tasks.get(task).planDefaults, plan.data).rounds : null;
    const { bytes, deviceSeconds, epsilon } =
      firings.find(({ outcome }) => outcome === 'released' || outcome === 'refused')?.spent ?? unknownCost;
    return { rounds, bytes, deviceSeconds, epsilon };
  }

  #tellHindrance(task: string, period: number, why: readonly TriggerReason[]): void {
    if (why.length === 0) {
      this.#told.delete(task);
      return;
    }
    const event = hinderedEvent(task, period, why);
    const said = JSON.stringify(event.data, (key, value: unknown) => (key === 'period' ? 0 : value));
    if (this.#told.get(task) === said) return;
    this.#told.set(task, said);
    this.#o.events.add(event);
  }

  // ---- the open firing

  #runChanged(run: string): void {
    for (const { task, state, run: own } of this.#open.values())
      if (own === run && state === 'training') this.#carryOnSoon(task);
  }

  #moved(move: Release): void {
    const firing = this.#open.get(move.task) ?? null;
    if (move.channel === 'canary') this.canaries.moved(move, firing);
    if (firing !== null && !isMoveOf(move, firing)) this.#carryOnSoon(move.task);
  }

  #carryOnSoon(task: string): void {
    void this.#lane(task)(async () => {
      if (this.#isStopped) return;
      try {
        const firing = await this.#o.storage.openFiring(task);
        if (firing !== null) await this.#carryOn(firing);
      } catch (thrown) {
        this.#retry(task, thrown);
      }
    });
  }

  async #carryOnOrRetry(firing: StoredFiring): Promise<StoredFiring> {
    try {
      return await this.#carryOn(firing);
    } catch (thrown) {
      this.#retry(firing.task, thrown);
      return (await this.#o.storage.firings(firing.task, { limit: 1 }))[0] ?? firing;
    }
  }

  #retry(task: string, thrown: unknown): void {
    this.#o.failed(CoppiceError.from(thrown));
    this.#wait(task, STORAGE_RETRY, () => this.#carryOnSoon(task));
  }

  /** Carries a firing on until it waits for a run, a comparison or a period, or has ended. */
  async #carryOn(given: StoredFiring): Promise<StoredFiring> {
    let firing = given;
    for (;;) {
      if (this.#isStopped) return firing;
      const evidence = (await this.#isOvertaken(firing))
        ? ({ kind: 'overtaken' } as const)
        : await this.#stepEvidence(firing);
      const after = await this.#take(firing, evidence);
      if (after === firing) return firing;
      firing = after;
    }
  }

  async #stepEvidence(firing: StoredFiring): Promise<FiringEvidence | null> {
    const step = stepOf(firing);
    if (step.step === 'compare') this.#compareSoon(firing, step.number);
    else if (step.step === 'await-period') this.#waitForPeriod(firing);
    else return carryOut({ ...this.#o, history: this.#history }, firing, step);
    return null;
  }

  /** Stores the firing after evidence, before anything follows from it. @returns the same firing where nothing changes. */
  async #take(firing: StoredFiring, evidence: FiringEvidence | null): Promise<StoredFiring> {
    const changed = evidence === null ? null : next(firing, evidence);
    if (changed === null) return firing;
    const spending = evidence?.kind === 'compared' ? evidence.spending : null;
    const after = await this.#o.storage.putFiring(changed, spending);
    const { task, state } = after;
    if (state === 'ended') {
      this.#open.delete(task);
      this.#timers.get(task)?.();
      this.#timers.delete(task);
    } else this.#open.set(task, after);
    const event = changeEvent(firing, after);
    if (event !== null) this.#o.events.add(event);
    return after;
  }

  /** An admin moved production since the firing began, or the canary's channel since that began. */
  async #isOvertaken({ task, basis, canary, ending }: StoredFiring): Promise<boolean> {
    if (ending !== null) return false;
    const { releases } = this.#o;
    if ((await releases.at(task, 'production'))?.sequence !== basis.sequence) return true;
    return canary !== null && (await releases.at(task, 'canary'))?.sequence !== canary.sequence;
  }

  /** Compares without keeping the task's lane, since answers take a while. */
  #compareSoon(firing: StoredFiring, number: number): void {
    const { task, sequence } = firing;
    if (this.#comparing.get(task) === number) return;
    this.#comparing.set(task, number);
    const compared = compare(this.#o, firing, number);
    void compared
      .then((evidence) =>
        this.#lane(task)(async () => {
          const open = await this.#o.storage.openFiring(task);
          const step = open === null ? null : stepOf(open);
          const isCurrent = open?.sequence === sequence && step?.step === 'compare' && step.number === number;
          if (this.#isStopped) return;
          const after = open === null || !isCurrent ? null : await this.#take(open, evidence);
          // Not before it is stored: until then a restart reads the same sums again.
          this.#o.comparisons.settled(task, number);
          if (after !== null) await this.#carryOn(after);
        }),
      )
      .catch((thrown: unknown) => {
        if (!this.#isStopped) this.#retry(task, thrown);
      })
      .finally(() => {
        if (this.#comparing.get(task) === number) this.#comparing.delete(task);
      });
  }

  /** Periods are judged while reports come. Where they end, the time alone ends a canary, and compares again. */
  #waitForPeriod(firing: StoredFiring): void {
    const { task, comparison, comparisons, canary, rules } = firing;
    const { periodMilliseconds } = rules;
    const end =
      canary === null
        ? (comparison?.startedAt ?? 0) + 2 * comparisons * periodMilliseconds
        : canary.startedAt + ((rules.canary?.periods ?? 0) + 2) * periodMilliseconds;
    this.#wait(task, Math.max(1, end - this.#o.clock.now()), () => {
      void this.#lane(task)(async () => {
        try {
          const open = await this.#o.storage.openFiring(task);
          if (this.#isStopped || open === null || stepOf(open).step !== 'await-period') return;
          const evidence =
            open.canary === null
              ? ({ kind: 'compare-again', period: open.looked + 1 } as const)
              : this.#canaryLook(open, null);
          await this.#carryOn(await this.#take(open, evidence));
        } catch (thrown) {
          this.#retry(task, thrown);
        }
      });
    });
  }

  /** Looks at a canary. @param period null: its time is over, and no reports came. */
  #canaryLook(firing: StoredFiring, period: WatchedPeriod | null): FiringEvidence | null {
    const { canary, canarySince, looked, rules } = firing;
    if (canary === null || canarySince === null || rules.canary === null) return null;
    const { share: _share, ...rule } = rules.canary;
    const number = period?.period ?? looked + 1;
    const sums = period?.sums ?? null;
    const found =
      sums === null
        ? []
        : guardEvidence(
            new Map(Object.entries(sums).map(([name, of]) => [name, Float64Array.from(of)])),
            period?.noise,
          );
    const guards = found.length === 0 ? [nothingSeen] : found;
    const decision = decide<'canary'>(rule, {
      guards,
      looks: canary.looks,
      periods: period === null ? rule.periods : number - canarySince,
      dataQuality: period?.verdict?.quality.alarm === true,
    });
    const least = (of: (guard: Guard) => ClusterSums) =>
      // Noise on the sums may make a number of participants negative.
      Math.max(0, Math.round(Math.min(...guards.map((guard) => of(guard).clusters))));
    const participants = { canary: least((guard) => guard.canary), control: least((guard) => guard.control) };
    return { kind: 'looked', period: number, decision, participants };
  }

  #wait(task: string, milliseconds: number, fire: () => void): void {
    this.#timers.get(task)?.();
    if (this.#isStopped) return;
    this.#timers.set(task, this.#o.clock.setTimer(milliseconds, fire));
  }

  #lane(task: string): ReturnType<typeof oneAtATime> {
    const lane = this.#lanes.get(task) ?? oneAtATime();
    this.#lanes.set(task, lane);
    return lane;
  }
}

const nobody: ClusterSums = { clusters: 0, examples: 0, sum: 0, sumSquares: 0, products: 0, sizeSquares: 0 };
const nothingSeen: Guard = { name: 'error', canary: nobody, control: nobody };

/** The firing as operators see it: without the secret of its canary. */
function shown(firing: StoredFiring): Firing {
  return FiringSchema.parse(firing);
}

function cannotFire(task: string, why: string): CoppiceError {
  return new CoppiceError('firing-refused', `No run of "${task}" was launched: ${why}.`);
}
