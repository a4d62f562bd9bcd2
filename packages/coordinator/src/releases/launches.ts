import { decide, dueAfter, parseCron, type TriggerReason, type TriggerRule } from '@coppice/continuity';
import type { Clock } from '@coppice/ports';
import { CoppiceError, completePlan, PlanInputSchema, type Release } from '@coppice/protocol';
import type { EventLog } from '../monitoring/event-log.ts';
import type { Tasks } from '../registry/tasks.ts';
import type { FiringStorage, StoredFiring } from '../storage/firing-storage.ts';
import type { PolicyStorage, StoredPolicy } from '../storage/policy-storage.ts';
import { hindered } from './firing-causes.ts';
import { beganEvent, hinderedEvent } from './firing-events.ts';
import {
  alarmBehind,
  alarmSince,
  byHandAlone,
  lastLaunch,
  newExamples,
  periodAt,
  periodOf,
  periodsNeeded,
  spentIn,
  unknownCost,
  verdictsOn,
} from './firing-evidence.ts';
import type { PeriodHistory } from './period-history.ts';
import type { Releases } from './releases.ts';

export interface LaunchesOptions {
  readonly storage: Pick<PolicyStorage, 'policy'> &
    Pick<FiringStorage, 'addFiring' | 'openFiring' | 'firings'>;
  readonly tasks: Pick<Tasks, 'get'>;
  readonly releases: Pick<Releases, 'at'>;
  readonly history: PeriodHistory;
  readonly events: Pick<EventLog, 'add'>;
  readonly clock: Clock;
  /** Draws the secret of a canary. */
  readonly newSecret: () => string;
}

/** Failures in a row beyond which a cool-down grows no longer: 2⁴ is the largest factor. */
const LONGEST_ROW = 4;

/** The reason to look at a trigger. */
export type Occasion = 'period' | 'schedule' | 'by-hand';

/** Decides by the triggers of tasks whether a firing begins. Calls for one task come one at a time. */
export class Launches {
  readonly #o: LaunchesOptions;
  /** Milliseconds since 1970 until which the schedule of a task was looked at. */
  readonly #lookedAt = new Map<string, number>();
  /** The hindrances that were told last, of tasks whose launch is hindered. */
  readonly #told = new Map<string, string>();

  constructor(options: LaunchesOptions) {
    this.#o = options;
  }

  /**
   * Decides by the trigger of a task's policy.
   *
   * @returns the firing that begins, which is stored and has done nothing yet; null where the trigger waits.
   * @throws CoppiceError `firing-refused` where a launch by hand is not possible; `storage-failed` and its kin
   */
  async begin(task: string, occasion: Occasion): Promise<StoredFiring | null> {
    const { storage, clock } = this.#o;
    const now = clock.now();
    const stored = await storage.policy(task);
    const firing = await this.#decide(task, stored, { byHand: occasion === 'by-hand', now });
    // A due time that was hindered is past: the next one counts.
    if (occasion !== 'by-hand' || firing !== null) this.#lookedAt.set(task, now);
    return firing;
  }

  /** The next due time of a task's schedule, milliseconds since 1970; null where it has none. */
  async nextDue(task: string): Promise<number | null> {
    const stored = await this.#o.storage.policy(task);
    const line = stored?.policy?.trigger?.schedule ?? null;
    const schedule = line === null ? null : parseCron(line);
    if (stored === null || schedule === null) return null;
    return dueAfter(schedule, await this.#scheduleLookedAt(task, stored));
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
    const newest = await this.#o.history.newest(task);
    const [before] = await storage.firings(task, { limit: 1 });
    const period = Math.max(
      newest?.period ?? -1,
      before === undefined ? -1 : periodAt(now, before, policy.periodMilliseconds),
    );
    const firings = await this.#firingsSince(task, period - rule.budget.periods);
    const last = lastLaunch(firings);
    const needsExamples = rule.newExamples !== null || last?.refused === true;
    const periods = await this.#o.history.upTo(task, {
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
      since: await this.#since(why, rule, { production, length: policy.periodMilliseconds }),
      isNamed: false,
      hash: null,
      comparisons: 0,
      looked: newest?.period ?? -1,
      canarySince: null,
      waitsSince: null,
      ending: null,
    });
    events.add(beganEvent(firing));
    return firing;
  }

  /**
   * The examples that are the recent ones, of a comparison and of plans that train on those since the alarm, are those since
   * then: since the alarms that the causes name, else since the alarm that the model in production answers and, where it answers
   * none, since its release. Milliseconds since 1970.
   */
  async #since(
    causes: readonly TriggerReason[],
    rule: TriggerRule,
    { production, length }: { production: Release; length: number },
  ): Promise<number> {
    const { storage, history } = this.#o;
    const { task, checkpoint, sequence, at: releasedAt } = production;
    const periods = await history.upTo(task, {
      least: periodsNeeded(rule),
      isNeeded: ({ startedAt }) => startedAt >= releasedAt,
    });
    const own = alarmSince(causes, rule, { periods, production: sequence, releasedAt, length });
    if (own !== null) return own;
    const alarm = await alarmBehind(checkpoint, (before) =>
      storage.firings(task, before === null ? {} : { before }),
    );
    return alarm?.since ?? releasedAt;
  }

  /** After a restart, a due time is not missed: it counts from the last period, firing or policy on. */
  async #scheduleLookedAt(task: string, { at }: StoredPolicy): Promise<number> {
    const known = this.#lookedAt.get(task);
    if (known !== undefined) return Math.max(known, at);
    const [last] = await this.#o.storage.firings(task, { limit: 1 });
    const newest = await this.#o.history.newest(task);
    return Math.max(at, last?.at ?? 0, newest?.endedAt ?? 0);
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
}

function cannotFire(task: string, why: string): CoppiceError {
  return new CoppiceError('firing-refused', `No run of "${task}" was launched: ${why}.`);
}
