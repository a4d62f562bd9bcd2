import {
  AlarmBounds,
  type Arm,
  agreedBinning,
  type Binning,
  consentVersion,
  firstBinning,
  identityOf,
  judge,
  type Policy,
  type Reference,
  referenceOf,
  withheld,
} from '@coppice/continuity';
import type { Clock } from '@coppice/ports';
import {
  CoppiceError,
  type Json,
  partsOfCheckpointId,
  type Task,
  type WatchedPeriod,
  type WatchInfo,
  type WatchState,
} from '@coppice/protocol';
import type { EventLog } from '../monitoring/event-log.ts';
import type { Releases } from '../releases/releases.ts';
import type { Audience } from '../rounds/audience.ts';
import type { Admissions } from '../security/admissions.ts';
import type { Spool } from '../storage/spool.ts';
import type { Storage } from '../storage/storage.ts';
import { type TaskOpening, taskOwner } from '../storage/task-opening.ts';
import { inTurns, nextTurn } from '../turns.ts';
import { alarmsOf } from './alarms.ts';
import type { TaskAnswers } from './answers.ts';
import { ensureOwnArm } from './guard-arm.ts';
import type { TaskOffers } from './offers.ts';
import { nextPeriod } from './period.ts';
import { affordsExchange, type Privacy, spentEpsilon } from './privacy-budget.ts';
import { reportForm } from './report-form.ts';
import { type ClosedPeriod, STORAGE_RETRY, TaskWatch, type TaskWatchOptions } from './task-watch.ts';

/** The most milliseconds that one part of a reference takes. */
export const LONGEST_PART = 600_000;

const DAY = 24 * 3600 * 1000;
const kinds = ['report', 'statistics'] as const satisfies readonly TaskOpening['kind'][];

/** What all watched tasks have in common. */
export interface WatchOptions {
  readonly storage: Pick<
    Storage,
    | 'policy'
    | 'policyVersion'
    | 'checkpoint'
    | 'periods'
    | 'addPeriod'
    | 'reference'
    | 'putReference'
    | 'watchSecret'
    | 'spentRho'
  >;
  readonly releases: Pick<Releases, 'at'>;
  /** Days of examples that a run trained on; null: all of them, or the run is not known. */
  readonly trainingWindow: (run: string) => number | null;
  readonly admissions: Pick<Admissions, 'refusal'>;
  readonly audience: Pick<Audience, 'send'>;
  readonly events: Pick<EventLog, 'add'>;
  readonly spool: Spool;
  readonly clock: Clock;
  /** A secret with 128 random bits at least. */
  readonly newSecret: () => string;
  /** The arm of a participant in the canary of a task. */
  readonly armOf: (task: string, participant: string) => Arm;
  /**
   * Called after a period is stored, before the next one opens. It is called again where it rejects, and may be where the
   * process was killed meanwhile.
   */
  readonly judged: (period: WatchedPeriod) => Promise<void>;
  /** Called for failures of storage, and for what could not be read of the spool. Work is tried again. */
  readonly failed: (task: string, error: CoppiceError) => void;
}

export interface WatchedTaskOptions extends WatchOptions {
  readonly task: Pick<Task, 'id' | 'data' | 'model'>;
  readonly offers: TaskOffers;
  readonly answers: TaskAnswers;
}

/** What follows from the policy and from production. */
interface Target {
  readonly state: WatchState;
  readonly policy: Policy | null;
  /** The version of the consent that participants give. */
  readonly consent: string | null;
  /** Milliseconds since 1970 at which period 0 began. */
  readonly epoch: number;
  readonly release: WatchInfo['release'];
  /** The bins that answers are made with: those of the data schema, the agreed ones, or the reference. */
  readonly binning: Binning | Reference | null;
  /** Their hash. */
  readonly identity: string | null;
}

const OFF: Target = {
  state: 'off',
  policy: null,
  consent: null,
  epoch: 0,
  release: null,
  binning: null,
  identity: null,
};

/**
 * The watch of one task. It follows the task's policy and production by itself: statistics make the reference of a release,
 * in two parts, then reports are judged against it, period after period. Everything that it knows is in storage and in the
 * spool, so that another process goes on where this one ended.
 */
export class WatchedTask {
  readonly #o: WatchedTaskOptions;
  readonly #bounds: AlarmBounds;
  /** See `#first`. Null: not asked for yet. */
  #firstMade: { readonly binning: Binning; readonly identity: string } | null = null;
  /** Null: not known, or not yet done. */
  #target: Target | null = null;
  /** The last target that was done: it is told also while the next one is being done. */
  #told: Target = OFF;
  #watch: TaskWatch | null = null;
  /** True where the privacy budget leaves no room for the next exchange. */
  #isSpent = false;
  #endAnswers: () => void = () => {};
  /** Updates, one after another. */
  #lane: Promise<void> = Promise.resolve();
  /** An update that has not begun: it will see all that was stored until then. */
  #waiting: Promise<void> | null = null;
  #endRetry: () => void = () => {};
  #stopped = false;

  constructor(options: WatchedTaskOptions) {
    this.#o = options;
    this.#bounds = new AlarmBounds();
  }

  get state(): WatchState {
    if (this.#isSpent) return 'budget-spent';
    return this.#told.state;
  }

  /** Does what the policy and production now say. Resolves when it is done; where storage fails, it is tried again later. */
  update(): Promise<void> {
    this.#endRetry();
    if (this.#waiting !== null) return this.#waiting;
    this.#lane = this.#lane
      .then(() => {
        this.#waiting = null;
        return this.#update();
      })
      .catch((thrown: unknown) => {
        this.#o.failed(this.#o.task.id, CoppiceError.from(thrown, 'storage-failed'));
        if (!this.#stopped) this.#endRetry = this.#o.clock.setTimer(STORAGE_RETRY, () => void this.update());
      });
    this.#waiting = this.#lane;
    return this.#lane;
  }

  /** Ends all timers. What was acknowledged stays in the spool. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#endRetry();
    await this.#lane;
    await this.#halt();
  }

  /**
   * What devices report, and with which bins, once everything that was saved or moved before is taken in.
   *
   * @throws CoppiceError `storage-failed` where it is not known.
   */
  async info(): Promise<WatchInfo> {
    if (this.#target === null) await this.update();
    else await this.#lane;
    if (this.#target === null)
      throw new CoppiceError(
        'storage-failed',
        'What is watched of this task is not known now, since it could not be read. It is tried again; ask later.',
      );
    const { policy, consent, release, binning, identity } = this.#told;
    const { id } = this.#o.task;
    return {
      task: id,
      state: this.state,
      consent,
      periodMilliseconds: policy?.periodMilliseconds ?? null,
      minimum: policy?.watch.minimum ?? null,
      privacy:
        policy?.privacy == null
          ? null
          : { ...policy.privacy, spentEpsilon: await this.#spent(policy.privacy) },
      release,
      reference: identity === null ? null : { identity, binning: binning as unknown as Json },
    };
  }

  async #update(): Promise<void> {
    if (this.#stopped) return;
    const target = await this.#read();
    const isSame = this.#target !== null && keyOf(target) === keyOf(this.#target);
    if (isSame) this.#told = target;
    if (isSame) return;
    await this.#halt();
    this.#target = null;
    const { offers, task, spool } = this.#o;
    const { state, consent } = target;
    offers.asks(task.id, consent === null ? null : { consent, recipe: this.#first.binning.recipe });
    const used = state === 'reports' ? 'report' : state === 'reference' ? 'statistics' : null;
    for (const kind of kinds) if (kind !== used) await spool.drop(taskOwner({ task: task.id, kind }));
    if (used !== null) await this.#start(used, target as Begun);
    this.#target = target;
    this.#told = target;
  }

  async #read(): Promise<Target> {
    const { storage, releases, task } = this.#o;
    const policy = (await storage.policy(task.id))?.policy ?? null;
    if (policy === null) return OFF;
    const consent = this.#consent(policy);
    const epoch = (await storage.policyVersion(task.id, 1))?.at ?? 0;
    const { sequence, checkpoint = null, hash = null } = (await releases.at(task.id, 'production')) ?? {};
    if (sequence === undefined || checkpoint === null || hash === null)
      return { ...OFF, state: 'no-release', policy, consent, epoch };
    const release = { sequence, checkpoint, hash };
    const known = await storage.reference(task.id, sequence);
    const made = known?.reference ?? null;
    const binning = made ?? known?.binning ?? this.#first.binning;
    const state = made === null ? 'reference' : 'reports';
    const identity = binning === this.#first.binning ? this.#first.identity : identityOf(binning);
    return { state, policy, consent, epoch, release, binning, identity };
  }

  /** The bins of the first part of a reference, and their hash: made once, since hundreds of columns take tens of milliseconds. */
  get #first() {
    if (this.#firstMade === null) {
      const binning = firstBinning(this.#o.task);
      this.#firstMade = { binning, identity: identityOf(binning) };
    }
    return this.#firstMade;
  }

  async #halt(): Promise<void> {
    const watch = this.#watch;
    this.#watch = null;
    this.#endAnswers();
    await watch?.stop();
    this.#isSpent = false;
  }

  async #start(kind: (typeof kinds)[number], target: Begun): Promise<void> {
    const { task, storage, admissions, offers, answers, spool, clock, audience, newSecret, armOf, failed } =
      this.#o;
    const { policy, consent, release, binning } = target;
    const asked = kind === 'report' ? { models: [], since: null } : await this.#statisticsOf(release);
    const form = reportForm(kind, binning, policy.watch.minimum);
    const watch = new TaskWatch({
      task: task.id,
      kind,
      form,
      ensureOwn: (participant, answer) =>
        ensureOwnArm(answer, form.answers.sections, armOf(task.id, participant)),
      consent,
      quorum: policy.watch.fewest,
      secret: await storage.watchSecret(task.id, newSecret()),
      admissions,
      offers,
      spool,
      clock,
      rho: policy.privacy?.rho ?? null,
      affords: () => affordsExchange(storage, task.id, { privacy: policy.privacy, isCompared: false }),
      newSecret,
      models: asked.models.map(({ hash }) => hash),
      failed: (error) => failed(task.id, error),
      ask: (participant, question) =>
        audience.send([participant], 'ask', { task: task.id, ...question, ...asked }),
      ...(kind === 'report' ? await this.#reports(target) : this.#statistics(target)),
    });
    await watch.start();
    this.#watch = watch;
    this.#endAnswers = answers.register(task.id, kind, watch);
  }

  // ---- the reference

  /** The model of the questions, and the time from which on its examples are. */
  async #statisticsOf({ checkpoint, hash }: Begun['release']) {
    const days = this.#o.trainingWindow(partsOfCheckpointId(checkpoint).run);
    const made = days === null ? null : await this.#o.storage.checkpoint(checkpoint);
    return {
      models: [{ role: 'production', checkpoint, hash }],
      since: days === null || made === null ? null : Math.max(0, made.createdAt - days * DAY),
    };
  }

  #statistics({ policy, epoch, release, binning, identity }: Begun): Exchanges {
    const { clock, task, storage } = this.#o;
    const length = Math.min(policy.periodMilliseconds, LONGEST_PART);
    return {
      lastClosed: null,
      // A part is as long as any other, wherever it begins: nothing but its number follows the grid.
      next: async (lastClosed) => {
        if (!(await this.#affords(policy))) return null;
        const period = nextPeriod(clock.now(), { epoch, length }, lastClosed);
        return { ...period, deadlineAt: period.startedAt + length };
      },
      wasClosed: async () => {},
      closed: async ({ sums: all, noise, spending }) => {
        if (all === null) return true;
        const sums = withheld(all, binning, policy.watch.fewest);
        const { sequence, checkpoint, hash } = release;
        const isFirst = identity === this.#first.identity;
        const known = { task: task.id, release: sequence, checkpoint, hash, at: clock.now() };
        const made = isFirst
          ? { ...known, binning: agreedBinning(this.#first.binning, sums, noise), reference: null }
          : { ...known, binning, reference: referenceOf(binning, sums, noise) };
        await nextTurn();
        await storage.putReference(made, spending);
        await nextTurn();
        void this.update();
        return false;
      },
    };
  }

  // ---- reports

  async #reports({ policy, epoch, release, binning, identity }: Begun): Promise<Exchanges> {
    const { clock, task, storage, events, judged } = this.#o;
    const reference = binning as Reference;
    const [last] = await storage.periods(task.id, { limit: 1 });
    let told = last?.period ?? -1;
    return {
      lastClosed: last?.period ?? null,
      next: async (lastClosed) => {
        if (!(await this.#affords(policy))) return null;
        return nextPeriod(clock.now(), { epoch, length: policy.periodMilliseconds }, lastClosed);
      },
      wasClosed: async (period) => {
        const [stored] = await storage.periods(task.id, { before: period + 1, limit: 1 });
        if (stored?.period === period) await judged(stored);
      },
      closed: async ({ sums: all, spending, ...ended }: ClosedPeriod) => {
        const sums = all === null ? null : withheld(all, reference, policy.watch.fewest);
        const rule = { ...policy.watch, noise: ended.noise };
        const verdict = sums === null ? null : await inTurns(judge(sums, reference, this.#bounds, rule));
        const period: WatchedPeriod = {
          ...ended,
          task: task.id,
          reference: identity,
          release: release.sequence,
          verdict,
          sums: sums === null ? null : Object.fromEntries([...sums].map(([name, of]) => [name, [...of]])),
        };
        await storage.addPeriod(period, spending);
        if (verdict !== null && told < period.period)
          for (const alarm of alarmsOf(task.id, period.period, verdict)) events.add(alarm);
        told = period.period;
        await judged(period);
        return true;
      },
    };
  }

  // ---- privacy

  #spent(privacy: Privacy): Promise<number> {
    return spentEpsilon(this.#o.storage, this.#o.task.id, privacy);
  }

  /** Whether the budget has room for another exchange. Where it has none, nothing is asked any more. */
  async #affords(policy: Policy): Promise<boolean> {
    const { storage, task } = this.#o;
    const { privacy, gate } = policy;
    if (privacy === null) return true;
    if (await affordsExchange(storage, task.id, { privacy, isCompared: gate !== null })) return true;
    this.#isSpent = true;
    const { epsilon: budget, delta } = privacy;
    const epsilon = await this.#spent(privacy);
    this.#o.events.add({
      run: null,
      round: null,
      level: 'warning',
      kind: 'privacy-budget-spent',
      data: { task: this.#o.task.id, epsilon, budget, delta },
    });
    return false;
  }

  #consent({ periodMilliseconds, watch: { minimum } }: Policy): string {
    return consentVersion({ binning: this.#first.binning, periodMilliseconds, minimum });
  }
}

/** What a watch has to begin anew for. */
function keyOf({ policy, binning: _binning, ...target }: Target): string {
  const { periodMilliseconds, watch, privacy, gate } = policy ?? {};
  // Of a gate, the budget keeps room for its comparisons.
  const isCompared = privacy != null && gate != null;
  return JSON.stringify({ ...target, periodMilliseconds, watch, privacy, isCompared });
}

/** The part of a watch's options that depends on its kind. */
type Exchanges = Pick<TaskWatchOptions, 'lastClosed' | 'next' | 'closed' | 'wasClosed'>;

/** A target in which something is asked. */
interface Begun extends Target {
  readonly policy: Policy;
  readonly release: NonNullable<WatchInfo['release']>;
  readonly binning: Binning | Reference;
  readonly consent: string;
  readonly identity: string;
}
