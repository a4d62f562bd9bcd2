import { cohortSizes, selectCohort } from '@coppice/federation';
import { seededRandom } from '@coppice/ports';
import type { Plan } from '@coppice/protocol';
import type { RoundOpening } from '../storage/spool.ts';

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
  normBounds: Readonly<Record<string, number>> | null;
  now: number;
}): RoundOpening {
  const sizes = cohortSizes(plan, available.size);
  const random = seededRandom(secret, 'cohort', round.round, round.attempt);
  const cohort = selectCohort(available.keys(), sizes.asked, random);
  return {
    ...round,
    sizes,
    startedAt: now,
    deadlineAt: now + plan.deadlineSeconds * 1000,
    cohort,
    weightCaps: cohort.map((id) => Math.min(plan.maxExamples, Math.max(1, available.get(id) ?? 1))),
  };
}
