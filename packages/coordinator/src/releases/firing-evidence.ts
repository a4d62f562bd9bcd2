import type { Cost, PeriodEvidence, TriggerEvidence, TriggerReason, TriggerRule } from '@coppice/continuity';
import type { FiringCause, Round, WatchedPeriod } from '@coppice/protocol';
import type { StoredFiring } from '../storage/firing-storage.ts';
import { causesIn } from './firing-causes.ts';

/* What the rules of a policy decide on, computed from what is stored. */

/** A period, as far as triggers look at it. */
export interface LookedAtPeriod {
  readonly period: number;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly observations: number;
  /** The move of production whose model it is about; null: not known. */
  readonly release: number | null;
  /** Null: too few reports. */
  readonly verdict: PeriodEvidence | null;
}

export function lookedAt({ period, startedAt, endedAt, release, verdict }: WatchedPeriod): LookedAtPeriod {
  return {
    period,
    startedAt,
    endedAt,
    observations: verdict?.observations ?? 0,
    release,
    verdict: verdict && {
      period,
      drift: verdict.drift.alarm,
      quality: verdict.quality.alarm,
      errors: verdict.errors?.interval ?? null,
    },
  };
}

/** The verdicts on the model that a move made production. Those on a model before say nothing of it. */
export function verdictsOn(periods: readonly LookedAtPeriod[], release: number): PeriodEvidence[] {
  return periods.flatMap((one) => ((one.release ?? release) === release ? (one.verdict ?? []) : []));
}

/** A trigger that never fires by itself: for launches by hand of a policy without one. */
export const byHandAlone: TriggerRule = {
  kind: 'trigger',
  drift: null,
  schedule: null,
  newExamples: null,
  floor: null,
  coolDown: 1,
  budget: { periods: 1, rounds: null, bytes: null, deviceSeconds: null, epsilon: null },
};

/** The newest periods that a trigger rule needs at least. */
export function periodsNeeded({ drift, floor }: TriggerRule): number {
  return Math.max(1, drift?.raise ?? 0, drift?.clear ?? 0, floor?.raise ?? 0);
}

/** The number of the last period before a firing began; −1 before the first. */
export function periodOf({ period }: Pick<StoredFiring, 'period'>): number {
  return period ?? -1;
}

/**
 * The period of a time by the time since a firing, for tasks of which no reports come: a cool-down and a budget end there too.
 *
 * @param now milliseconds since 1970.
 * @param length of a period, in milliseconds.
 */
export function periodAt(now: number, firing: Pick<StoredFiring, 'at' | 'period'>, length: number): number {
  return periodOf(firing) + Math.max(0, Math.floor((now - firing.at) / length));
}

/**
 * The last launch, as triggers look at it. Firings that an admin overtook neither count as failures nor end a row of them.
 *
 * @param firings of the task, newest first.
 */
export function lastLaunch(firings: readonly StoredFiring[]): TriggerEvidence['last'] {
  const [last] = firings;
  if (last === undefined) return null;
  const own = firings.filter(({ outcome }) => outcome !== 'overtaken');
  const released = own.findIndex(({ outcome }) => outcome === 'released');
  return {
    period: periodOf(last),
    released: last.outcome === 'released',
    failures: released === -1 ? own.length : released,
    refused: last.outcome === 'refused',
  };
}

/** The observations of periods since the last launch; before the first, of those that began since the production's release. */
export function newExamples(
  periods: readonly LookedAtPeriod[],
  last: TriggerEvidence['last'],
  releasedAt: number,
): number {
  const isNew = ({ period, startedAt }: LookedAtPeriod) =>
    last === null ? startedAt >= releasedAt : period > last.period;
  return periods.reduce((sum, one) => sum + (isNew(one) ? one.observations : 0), 0);
}

/** The cost of the launches in the last so many periods. @param firings of the task. */
export function spentIn(firings: readonly StoredFiring[], { after }: { after: number }): Cost {
  return firings
    .filter((firing) => periodOf(firing) > after)
    .reduce((sum, { spent }) => addCosts(sum, spent), unknownCost);
}

export const unknownCost: Cost = { rounds: null, bytes: null, deviceSeconds: null, epsilon: null };

function addCosts(a: Cost, b: Cost): Cost {
  const add = (x: number | null, y: number | null) => (x === null ? y : y === null ? x : x + y);
  return {
    rounds: add(a.rounds, b.rounds),
    bytes: add(a.bytes, b.bytes),
    deviceSeconds: add(a.deviceSeconds, b.deviceSeconds),
    epsilon: add(a.epsilon, b.epsilon),
  };
}

/** The cost of a run by the records of its rounds, every attempt counted. */
export function costOf(rounds: readonly Round[]): Cost {
  const sum = (of: (round: Round) => number) => rounds.reduce((total, round) => total + of(round), 0);
  return {
    rounds: rounds.length,
    bytes: sum(({ bytesUp, bytesDown }) => bytesUp + bytesDown),
    deviceSeconds: sum(({ cohort }) =>
      cohort.reduce((total, { milliseconds }) => total + (milliseconds ?? 0) / 1000, 0),
    ),
    epsilon: null,
  };
}

/**
 * The beginning of the examples that alarms are about: of the first that the causes name. A high error dates a change only where
 * errors rose, that is where an earlier interval on the same model lies below that of now.
 *
 * A report tells of the predictions since the one before, so that the examples behind an alarm began a period before its
 * reports were asked for; none of them is older than the release.
 *
 * @param periods oldest first.
 * @param production the number of the move that released the model in production.
 * @param length of a period, in milliseconds.
 * @returns milliseconds since 1970; null: no cause dates a change.
 */
export function alarmSince(
  causes: readonly TriggerReason[],
  rule: TriggerRule,
  {
    periods,
    production,
    releasedAt,
    length,
  }: {
    readonly periods: readonly LookedAtPeriod[];
    readonly production: number;
    readonly releasedAt: number;
    readonly length: number;
  },
): number | null {
  const begins = causes.flatMap((reason) => {
    if (!('cause' in reason)) return [];
    if (reason.cause === 'drift') return periods.slice(-reason.periods)[0]?.startedAt ?? [];
    const row = reason.cause === 'floor' ? rowOfErrors(verdictsOn(periods, production), rule.floor) : null;
    return periods.find(({ period }) => period === row)?.startedAt ?? [];
  });
  if (begins.length === 0) return null;
  return Math.max(releasedAt, Math.min(...begins) - length);
}

/** The first period of the newest row with errors above the floor; null where no errors before it were clearly lower. */
function rowOfErrors(verdicts: readonly PeriodEvidence[], floor: TriggerRule['floor']): number | null {
  const known = verdicts.filter(({ errors }) => errors !== null);
  const isHigh = ({ errors }: PeriodEvidence) => floor !== null && errors !== null && errors[0] > floor.error;
  const before = known.findLastIndex((one) => !isHigh(one));
  const now = known.at(-1)?.errors?.[0] ?? 0;
  const rose = known.slice(0, before + 1).some(({ errors }) => errors !== null && errors[1] < now);
  return rose ? (known[before + 1]?.period ?? null) : null;
}

/**
 * The newest firing for drift or high errors among those that made a checkpoint: the one that released it, the one that released
 * the checkpoint that this one began from, and so on. `null`: none of them was for an alarm.
 *
 * @param page gives firings before a number, newest first; null: the newest ones. Empty after the last.
 */
export async function alarmBehind(
  checkpoint: string | null,
  page: (before: number | null) => Promise<readonly StoredFiring[]>,
): Promise<StoredFiring | null> {
  let sought = checkpoint;
  for (let before: number | null = null; ; ) {
    const firings = await page(before);
    for (const firing of firings) {
      if (firing.outcome !== 'released' || firing.candidate !== sought) continue;
      if (causesIn(firing.causes as unknown as TriggerReason[]).some(isAlarm)) return firing;
      sought = firing.production;
    }
    const last = firings.at(-1);
    if (last === undefined) return null;
    before = last.sequence;
  }
}

function isAlarm(cause: FiringCause): boolean {
  return cause === 'drift' || cause === 'floor';
}

/** The place of a candidate among those that are compared in a calendar quarter, in UTC. @param before the firings before it. */
export function numberInQuarter(before: readonly StoredFiring[], at: number): number {
  const quarter = quarterOf(at);
  return (
    1 +
    before.filter(({ comparison }) => comparison !== null && quarterOf(comparison.startedAt) === quarter)
      .length
  );
}

/** Quarters since 1970. */
export function quarterOf(time: number): number {
  const date = new Date(time);
  return 4 * (date.getUTCFullYear() - 1970) + Math.floor(date.getUTCMonth() / 3);
}
