import { cohortSizes, type Norms, selectCohort } from '@coppice/federation';
import { seededRandom } from '@coppice/ports';
import type { Plan } from '@coppice/protocol';
import type { RoundOpening } from '../storage/spool.ts';
import { median } from './norm-bounds.ts';

/**
 * Step 1: the round's cohort, and what it counts at most. The same secret, round, attempt and participants give the same
 * cohort; without the secret nobody can tell who will be asked.
 *
 * @param available participants by id, with the number of examples that each has said to have.
 */
export function openingOf({
  plan,
  secret,
  available,
  now,
  ...round
}: {
  run: string;
  round: number;
  attempt: number;
  plan: Plan;
  secret: string;
  parent: string;
  available: ReadonlyMap<string, number>;
  joined: number;
  normBounds: Norms | null;
  now: number;
}): RoundOpening {
  const sizes = cohortSizes(plan, available.size);
  const random = seededRandom(secret, 'cohort', round.round, round.attempt);
  const cohort = selectCohort(available.keys(), sizes.asked, random);
  const most = largestWeight(plan, available);
  return {
    ...round,
    sizes,
    startedAt: now,
    deadlineAt: now + plan.deadlineSeconds * 1000,
    cohort,
    weightCaps: cohort.map((id) => Math.min(most, Math.max(1, available.get(id) ?? 1))),
  };
}

/** The largest weight that a round counts, whatever a participant has: `weightFactor` times the median of what all have. */
function largestWeight(
  { maxExamples, weightFactor }: Pick<Plan, 'maxExamples' | 'weightFactor'>,
  available: ReadonlyMap<string, number>,
): number {
  if (weightFactor === null) return maxExamples;
  return Math.min(maxExamples, Math.max(1, Math.ceil(weightFactor * median([...available.values()]))));
}
