import { cohortSizes, selectCohort } from '@coppice/federation';
import { seededRandom } from '@coppice/ports';
import type { Plan } from '@coppice/protocol';
import type { RoundOpening } from '../storage/spool.ts';

/** Step 1: who is asked. The same seed, round, attempt and participants give the same cohort. */
export function select({
  plan,
  available,
  now,
  ...round
}: {
  run: string;
  round: number;
  attempt: number;
  plan: Plan;
  parent: string;
  available: readonly string[];
  now: number;
}): RoundOpening {
  const sizes = cohortSizes(plan, available.length);
  const random = seededRandom(plan.seed, 'cohort', round.round, round.attempt);
  return {
    ...round,
    sizes,
    startedAt: now,
    deadlineAt: now + plan.deadlineSeconds * 1000,
    cohort: selectCohort(available, sizes.asked, random),
  };
}
