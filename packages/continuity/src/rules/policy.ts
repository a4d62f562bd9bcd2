import * as z from 'zod/mini';
import { CanaryRuleSchema, parseCanary } from './canary.ts';
import { GateRuleSchema, parseGate } from './gate.ts';
import { invalid, type ParsedRule, refused } from './rule.ts';
import { type Cost, parseTrigger, TriggerRuleSchema } from './trigger.ts';
import { parseWatch, WatchRuleSchema } from './watch.ts';

const SECOND = 1000;
const DAY = 24 * 3600 * SECOND;

/** The smallest ρ: with less, the noise on a share is larger than 1 even where 65,536 participants report on one column. */
const LEAST_RHO = 1e-9;

/**
 * The way in which a task is kept good: what is watched, and what follows from it. A policy is stored as a version of its
 * task's; a firing keeps a copy of the one that it began under.
 */
export const PolicySchema = z.strictObject({
  version: z.literal(1),
  /** The length of a period in milliseconds, from a second to 31 days. */
  periodMilliseconds: z.int().check(z.minimum(SECOND), z.maximum(31 * DAY)),
  watch: WatchRuleSchema,
  /** Noise on the sums of reports, statistics and comparisons; null: none. */
  privacy: z.nullable(
    z.strictObject({
      /** ρ of zero-concentrated differential privacy that one exchange costs a participant. */
      rho: z.number().check(z.positive(), z.maximum(10)),
      /** ε that all exchanges of the task may cost, at `delta`. Past it, none is opened. */
      epsilon: z.number().check(z.positive(), z.maximum(1000)),
      delta: z.number().check(z.positive(), z.maximum(0.1)),
    }),
  ),
  /** Null: runs are launched by hand alone. */
  trigger: z.nullable(TriggerRuleSchema),
  /** Fields of the plan by which the trigger's runs train; the task's defaults for those left out. */
  plan: z.record(z.string(), z.union([z.string(), z.number(), z.null()])),
  /**
   * True: these runs train on the examples since the first alarm of drift, or since errors rose, in place of the plan's window;
   * of other causes, since the change that the model in production was last retrained for, else since its release. Left
   * out: false.
   */
  sinceAlarm: z.exactOptional(z.boolean()),
  /** Null: a candidate is not compared with production. */
  gate: z.nullable(GateRuleSchema),
  /** Null: a candidate that passed the gate is released at once. */
  canary: z.nullable(
    z.extend(CanaryRuleSchema, {
      /** The share of participants with the canary; as many are the control group. */
      share: z.number().check(z.positive(), z.maximum(0.5)),
    }),
  ),
});
export type Policy = z.infer<typeof PolicySchema>;

/**
 * Reads a policy, with all its rules.
 *
 * @param cost of one launch by its plan, as `parseTrigger` takes it.
 */
export function parsePolicy(input: unknown, cost: Cost): ParsedRule<Policy> {
  const { success, data: policy, error } = PolicySchema.safeParse(input);
  if (!success) return invalid(error);
  const { watch, privacy, trigger, gate, canary } = policy;
  if (privacy !== null && privacy.rho < LEAST_RHO)
    return refused(
      'rule-never',
      'privacy.rho',
      `So much noise hides everything. State ${LEAST_RHO} or more.`,
    );
  const { share: _share, ...canaryRule } = canary ?? { share: 0 };
  for (const [field, parsed] of [
    ['watch', parseWatch(watch)],
    ['trigger', trigger === null ? null : parseTrigger(trigger, cost)],
    ['gate', gate === null ? null : parseGate(gate)],
    ['canary', canary === null ? null : parseCanary(canaryRule)],
  ] as const) {
    const refusal = parsed?.refusal ?? null;
    if (refusal !== null) return refused(refusal.name, `${field}.${refusal.field}`, refusal.why);
  }
  return { rule: policy, refusal: null };
}
