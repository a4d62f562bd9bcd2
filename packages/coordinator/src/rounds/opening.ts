import { cohortSizes, medianOf, selectCohort } from '@coppice/federation';
import { seededRandom } from '@coppice/ports';
import type { Plan } from '@coppice/protocol';
import type { RoundOpening } from '../storage/spool.ts';
import type { Standing } from './attendance.ts';
import { coarse } from './coarse.ts';
import type { NormBoundsOf } from './norm-bounds.ts';

/**
 * Step 1: the round's cohort, and its limits. The same secret, round, attempt and participants give the same cohort;
 * without the secret the selection is unpredictable.
 *
 * @param available participants by id, with the number of examples that each announced.
 * @param standing the standing of each in this round. Where fewer than `minParticipants` have a seat, all have one.
 */
export function openingOf({
  plan,
  secret,
  available,
  standing,
  normBounds,
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
  standing: (participant: string) => Standing;
  joined: number;
  normBounds: NormBoundsOf;
  now: number;
}): RoundOpening {
  const unreliable = new Set([...available.keys()].filter((id) => standing(id) === 'beyond'));
  const seated = available.size - unreliable.size;
  const few = seated < Math.max(1, plan.minParticipants);
  const isBeyond = (id: string) => !few && unreliable.has(id);
  const sizes = cohortSizes(plan, few ? available.size : seated);
  const random = seededRandom(secret, 'cohort', round.round, round.attempt);
  const cohort = selectCohort(available.keys(), sizes.asked, random, isBeyond);
  return {
    ...round,
    sizes: { ...sizes, asked: cohort.length },
    startedAt: now,
    deadlineAt: now + plan.deadlineSeconds * 1000,
    cohort,
    beyond: cohort.filter(isBeyond),
    owed: cohort.filter((id) => standing(id) === 'owed'),
    weightCaps: cohort.map(weightCapOf(plan, available)),
    normBounds: normBounds([...available.values()]),
  };
}

/**
 * The largest weight that counts for a participant: what it announced, and no more than the round's largest weight.
 *
 * @param available participants by id, with the number of examples that each announced.
 */
export function weightCapOf(
  plan: Pick<Plan, 'maxExamples' | 'weightFactor'>,
  available: ReadonlyMap<string, number>,
): (participant: string) => number {
  const most = largestWeight(plan, available);
  return (id) => Math.min(most, Math.max(1, available.get(id) ?? 1));
}

/** The largest weight that a round counts: `weightFactor` times the median of all announced example counts, or `maxExamples`. */
function largestWeight(
  { maxExamples, weightFactor }: Pick<Plan, 'maxExamples' | 'weightFactor'>,
  available: ReadonlyMap<string, number>,
): number {
  if (weightFactor === null) return maxExamples;
  const most = Math.max(1, Math.ceil(weightFactor * medianOf([...available.values()])));
  return Math.min(maxExamples, coarse(most, available.size));
}
