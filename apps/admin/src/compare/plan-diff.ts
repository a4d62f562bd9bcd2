import type { Plan, PlanFieldName } from '@coppice/protocol';
import { planFieldNames } from '../launch/plan-form.ts';

/** The fields in which at least two of the plans differ, in the form's order, with each plan's value. */
export function planDiff(
  plans: readonly Plan[],
): readonly { readonly field: PlanFieldName; readonly values: readonly (string | number | null)[] }[] {
  return planFieldNames
    .map((field) => ({ field, values: plans.map((plan) => plan[field] ?? null) }))
    .filter(({ values }) => new Set(values).size > 1);
}
