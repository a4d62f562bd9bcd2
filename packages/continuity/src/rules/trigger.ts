import * as z from 'zod/mini';
import { dueAfter, parseCron, type Schedule } from './cron.ts';
import { type Decision, invalid, type ParsedRule, refused } from './rule.ts';

const periods = z.int().check(z.minimum(1), z.maximum(1000));
const limit = z.nullable(z.number().check(z.minimum(0)));

/** The cost of launches, or a limit on it. */
export const CostSchema = z.strictObject({
  rounds: limit,
  /** Sent and received by devices. */
  bytes: limit,
  /** Seconds of computing, over all devices. */
  deviceSeconds: limit,
  epsilon: limit,
});
export type Cost = z.infer<typeof CostSchema>;
const costs = ['rounds', 'bytes', 'deviceSeconds', 'epsilon'] as const;

/** The rule that launches a run from the model in production. A cause that is `null` launches none. */
export const TriggerRuleSchema = z.strictObject({
  kind: z.literal('trigger'),
  /** Alarms in so many periods in a row; again only after so many quiet ones in a row, or where no release came of it. */
  drift: z.nullable(z.strictObject({ raise: periods, clear: periods })),
  /** A cron line of five fields, in UTC. */
  schedule: z.nullable(z.string().check(z.maxLength(100))),
  /** New examples since the last launch. */
  newExamples: z.nullable(z.int().check(z.minimum(1))),
  /** The mean error is above this with 97.5 % certainty, in so many periods in a row. */
  floor: z.nullable(z.strictObject({ error: z.number(), raise: periods })),
  /** Periods without a round after which the run of a firing is stopped; left out: 3. */
  stall: z.exactOptional(periods),
  /** Periods between two launches at least. Each launch in a row without a release doubles it, up to sixteen times. */
  coolDown: periods,
  /** The most that launches of the last so many periods may cost; `null`: no limit. */
  budget: z.strictObject({ periods, ...CostSchema.shape }),
});
export type TriggerRule = z.infer<typeof TriggerRuleSchema>;

/** A period's verdict, as far as it matters here. */
export interface PeriodEvidence {
  readonly period: number;
  readonly drift: boolean;
  readonly quality: boolean;
  /** The interval of the mean error; `null` where it is unknown. */
  readonly errors: readonly [number, number] | null;
}

export interface TriggerEvidence {
  readonly period: number;
  /** The newest period that is over, with a verdict or without: a row of alarms goes up to it. */
  readonly newest: number;
  /** Verdicts of past periods on the model in production, the newest last; periods without one are left out. */
  readonly verdicts: readonly PeriodEvidence[];
  /** Now, and the time until which the schedule was looked at before, in milliseconds since 1970. */
  readonly now: number;
  readonly lookedAt: number;
  readonly newExamples: number;
  /** True where an admin asks for a launch. */
  readonly byHand: boolean;
  /** True while a launch has not ended. */
  readonly running: boolean;
  /** The last launch; `null` where there was none. */
  readonly last: {
    readonly period: number;
    readonly released: boolean;
    /** Launches in a row that ended without a release, this one counted. */
    readonly failures: number;
    /** True where its candidate was refused by the comparison. */
    readonly refused: boolean;
  } | null;
  /** The cost of the launches in the periods of the budget, and of one launch. `null`: unknown, or nothing. */
  readonly spent: Cost;
  readonly cost: Cost;
}

export type TriggerReason =
  | { readonly cause: 'drift'; readonly periods: number }
  | { readonly cause: 'schedule'; readonly due: number }
  | { readonly cause: 'new-examples'; readonly examples: number }
  | { readonly cause: 'floor'; readonly error: number }
  | { readonly cause: 'by-hand' }
  | { readonly hindrance: 'running' }
  | { readonly hindrance: 'data-quality'; readonly period: number }
  | { readonly hindrance: 'cool-down'; readonly until: number }
  | { readonly hindrance: 'no-new-data' }
  | {
      readonly hindrance: 'budget';
      readonly of: (typeof costs)[number];
      readonly left: number;
      readonly cost: number;
    };

/** The most that launches without a release lengthen the cool-down by. */
const LONGEST_BACK_OFF = 16;

/**
 * Reads a trigger rule.
 *
 * @param cost of one launch by the task's plan, so that a budget below it is found.
 */
export function parseTrigger(input: unknown, cost: Cost): ParsedRule<TriggerRule> {
  const { success, data: rule, error } = TriggerRuleSchema.safeParse(input);
  if (!success) return invalid(error);
  const { drift, schedule, newExamples, floor, budget } = rule;
  if (drift === null && schedule === null && newExamples === null && floor === null)
    return refused(
      'rule-never',
      'drift',
      'It has no cause to launch. Without a rule, runs are launched by hand.',
    );
  if (floor !== null && floor.error >= 1)
    return refused('rule-never', 'floor.error', 'A mean error is never above 1. State an error below 1.');
  if (floor !== null && floor.error <= 0)
    return refused('rule-always', 'floor.error', 'Almost every model errs. State an error above 0.');
  if (schedule !== null) {
    const parsed = parseCron(schedule);
    if (parsed === null)
      return refused(
        'rule-invalid',
        'schedule',
        'A schedule has five fields: minute, hour, day, month, weekday.',
      );
    if (dueAfter(parsed, 0) === null)
      return refused('rule-never', 'schedule', 'There is no such day. Choose another day or month.');
    if (parsed.minutes.length > 1)
      return refused('rule-always', 'schedule', 'It is due more than once an hour. State one minute.');
  }
  for (const of of costs) {
    const [most, one] = [budget[of], cost[of] ?? 0];
    if (most !== null && (most === 0 || one > most))
      return refused(
        'rule-never',
        `budget.${of}`,
        `One launch costs ${one}, and the budget is ${most}. Raise it.`,
      );
  }
  return { rule, refusal: null };
}

/** Decides whether a run is launched. Causes without a hindrance launch it; by hand, only another launch or the budget hinders. */
export function decideTrigger(
  rule: TriggerRule,
  evidence: TriggerEvidence,
): Decision<'launch' | 'wait', TriggerReason> {
  const causes = causesOf(rule, evidence);
  if (causes.length === 0) return { act: 'wait', why: [] };
  const hindrances = hindrancesOf(rule, evidence);
  return hindrances.length === 0
    ? { act: 'launch', why: causes }
    : { act: 'wait', why: [...causes, ...hindrances] };
}

function causesOf(rule: TriggerRule, evidence: TriggerEvidence): TriggerReason[] {
  const { newest, verdicts, now, lookedAt, newExamples, byHand } = evidence;
  const causes: TriggerReason[] = byHand ? [{ cause: 'by-hand' }] : [];
  if (rule.drift !== null) {
    const alarms = inARow(verdicts, newest, ({ drift }) => drift);
    if (alarms >= rule.drift.raise && isArmed(rule.drift.clear, evidence))
      causes.push({ cause: 'drift', periods: alarms });
  }
  if (rule.floor !== null) {
    const { error, raise } = rule.floor;
    const low = verdicts.at(-1)?.errors?.[0] ?? 0;
    if (inARow(verdicts, newest, ({ errors }) => errors !== null && errors[0] > error) >= raise)
      causes.push({ cause: 'floor', error: low });
  }
  if (rule.schedule !== null) {
    const due = dueAfter(parseCron(rule.schedule) as Schedule, lookedAt);
    if (due !== null && due <= now) causes.push({ cause: 'schedule', due });
  }
  if (rule.newExamples !== null && newExamples >= rule.newExamples)
    causes.push({ cause: 'new-examples', examples: newExamples });
  return causes;
}

/** A release answers an alarm: the next one counts after quiet periods. */
function isArmed(clear: number, { verdicts, last }: TriggerEvidence): boolean {
  if (last === null || !last.released) return true;
  let quiet = 0;
  for (const { period, drift } of verdicts) {
    if (period <= last.period) continue;
    quiet = drift ? 0 : quiet + 1;
    if (quiet >= clear) return true;
  }
  return false;
}

function hindrancesOf(rule: TriggerRule, evidence: TriggerEvidence): TriggerReason[] {
  const { period, verdicts, newExamples, byHand, running, last, spent, cost } = evidence;
  const hindrances: TriggerReason[] = [];
  if (running) hindrances.push({ hindrance: 'running' });
  const newest = verdicts.at(-1);
  if (!byHand && newest?.quality === true)
    hindrances.push({ hindrance: 'data-quality', period: newest.period });
  if (!byHand && last !== null) {
    const until = last.period + rule.coolDown * Math.min(LONGEST_BACK_OFF, 2 ** last.failures);
    if (period < until) hindrances.push({ hindrance: 'cool-down', until });
    if (last.refused && newExamples === 0) hindrances.push({ hindrance: 'no-new-data' });
  }
  for (const of of costs) {
    const most = rule.budget[of];
    if (most === null) continue;
    const [left, one] = [most - (spent[of] ?? 0), cost[of] ?? 0];
    if (one > left || left <= 0) hindrances.push({ hindrance: 'budget', of, left, cost: one });
  }
  return hindrances;
}

/** The number of periods in a row, up to the newest, for which something holds. A period without a verdict ends the row. */
function inARow(
  verdicts: readonly PeriodEvidence[],
  newest: number,
  holds: (one: PeriodEvidence) => boolean,
): number {
  let count = 0;
  for (const one of verdicts.toReversed()) {
    if (one.period !== newest - count || !holds(one)) break;
    count++;
  }
  return count;
}
