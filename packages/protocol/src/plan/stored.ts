import { CoppiceError } from '../errors.ts';
import { MAX_COHORT } from '../limits.ts';
import type { PlanField, PlanValues } from './field.ts';
import { type Plan, planDescription } from './plan.ts';

/**
 * The version of stored plans. A new field does not raise it: a stored plan without the field stands for the field's
 * `unset`. A field that is removed, renamed or given another meaning raises it, and `readStoredPlan` then translates
 * older plans. Plans stored before versions were have none, and are read as version 1.
 */
export const PLAN_VERSION = 1;

/**
 * Reads a plan from storage, and fills in the fields that are newer than it.
 *
 * @throws CoppiceError `storage-too-new` for a plan of a later version.
 */
export function readStoredPlan(stored: PlanValues, version: number = PLAN_VERSION): Plan {
  if (version > PLAN_VERSION) {
    throw new CoppiceError(
      'storage-too-new',
      `A stored plan has version ${version}; this program knows versions up to ${PLAN_VERSION}. Use a newer program, or restore a backup from before the update.`,
    );
  }
  const strategy = String(stored.strategy);
  const filled = planDescription.namesFor(strategy).map((name) => {
    const field = planDescription.fieldOf(name, strategy) as PlanField;
    return [name, field.unset === undefined ? field.default : field.unset] as const;
  });
  const plan = { ...Object.fromEntries(filled), ...stored } as unknown as Plan;
  // Earlier versions took larger cohorts than a sum takes; such a round asks as many as it can.
  const { cohortSize } = plan;
  return cohortSize === null ? plan : { ...plan, cohortSize: Math.min(cohortSize, MAX_COHORT) };
}
