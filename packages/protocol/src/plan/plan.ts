import type * as z from 'zod/mini';
import { aggregation } from './aggregation.ts';
import type { ConsentLabel } from './consent.ts';
import { PlanDescription } from './description.ts';
import type { PlanField, PlanValues } from './field.ts';
import { limits } from './limits.ts';
import { localTraining } from './local-training.ts';
import { rounds } from './rounds.ts';
import { type StrategyName, strategies } from './strategies/index.ts';
import { wire } from './wire.ts';

const sections = {
  aggregation: {
    title: { en: 'Aggregation', zh: '聚合' },
    fields: aggregation(strategies, 'fedavg'),
  },
  training: { title: { en: 'Local training', zh: '本地训练' }, fields: localTraining },
  rounds: { title: { en: 'Cohort and rounds', zh: '参与者与轮次' }, fields: rounds },
  limits: { title: { en: 'Limits and protection', zh: '限制与保护' }, fields: limits },
  wire: { title: { en: 'Transfer', zh: '传输' }, fields: wire },
} as const;

/** The fields of plans, and all that is derived from them. */
export const planDescription = new PlanDescription(
  Object.entries(sections).map(([id, section]) => ({ id, ...section })),
  strategies,
);

type ValueOf<F> = F extends PlanField<infer T> ? T : never;
type Values<F> = { -readonly [K in keyof F]: ValueOf<F[K]> };
type Flat<T> = { [K in keyof T]: T[K] };
type Merged<U> = (U extends unknown ? (value: U) => void : never) extends (value: infer I) => void
  ? I
  : never;
type Sections = typeof sections;
type Common = Merged<Values<Sections[keyof Sections]['fields']>>;

/** The parameters of a strategy, by their plan fields' names. */
export type StrategyParameters<N extends StrategyName> = Values<(typeof strategies)[N]['parameters']>;
type AllParameters = Merged<StrategyParameters<StrategyName>>;

/**
 * A plan: how a run trains. One flat object, whole: every field that applies to its strategy has a value. Fields that
 * belong to strategies are absent with any other strategy.
 */
export type Plan = Flat<Common & Partial<AllParameters>>;
export type PlanFieldName = keyof Plan;

/** Some fields of a plan, as a caller sends them. */
export type PlanInputValues = { [K in PlanFieldName]?: Plan[K] | undefined };

/** Every field by its name, in the form's order. */
export const planFields = planDescription.fields as { readonly [K in PlanFieldName]-?: PlanField };

/** The general defaults. */
export const defaultPlan = planDescription.defaultsFor('fedavg') as unknown as Plan;

export const PlanSchema = planDescription.schema as unknown as z.ZodMiniType<Plan, Plan>;
export const PlanInputSchema = planDescription.inputSchema as z.ZodMiniType<PlanInputValues, PlanInputValues>;
/** A plan on its way down; see `PlanDescription.sentSchema`. */
export const SentPlanSchema = planDescription.sentSchema as unknown as z.ZodMiniType<
  Plan,
  Record<string, unknown>
>;

/**
 * A whole plan: the values given, then the task's defaults, then the general ones.
 *
 * @throws CoppiceError `plan-invalid`, naming the field.
 */
export function completePlan(taskDefaults: PlanValues, given: PlanInputValues): Plan {
  return planDescription.complete(taskDefaults, given) as unknown as Plan;
}

/** The names of the capabilities that a participant must have to take part under a plan, sorted. */
export function requiresOf(plan: Plan): string[] {
  return planDescription.requiresOf(plan);
}

/** The part of the consent label that follows from a plan; of a plan in part, from the fields that are there. */
export function consentLabel(plan: Partial<Plan>): ConsentLabel {
  return planDescription.consentOf(plan);
}

/** A strategy's parameters in a plan; the default for any that the plan leaves out. */
export function parametersOf<N extends StrategyName>(
  strategy: N,
  plan: PlanInputValues,
): StrategyParameters<N> {
  const own: PlanValues = plan;
  const entries = Object.entries(strategies[strategy].parameters as Record<string, PlanField>);
  return Object.fromEntries(
    entries.map(([name, field]) => [name, own[name] === undefined ? field.default : own[name]]),
  ) as StrategyParameters<N>;
}
