import { type RandomSource, shuffle } from '@coppice/ports';
import { MAX_COHORT, type Plan } from '@coppice/protocol';

/** A round's target, the number of participants asked, and the quorum. */
export interface CohortSizes {
  /** Accepted updates at which the round closes. */
  readonly target: number;
  /** Participants asked: `target` × over-selection, as far as there are any. */
  readonly asked: number;
  /** Fewest updates for the round to count; with fewer it is abandoned. */
  readonly quorum: number;
}

/** max(1, round(C · available)) as in FedAvg's Algorithm 1, or the plan's fixed number; at most `MAX_COHORT`. */
export function cohortSizes(plan: Plan, available: number): CohortSizes {
  const wanted = plan.cohortSize ?? Math.max(1, Math.round(plan.cohortFraction * available));
  const most = Math.min(available, MAX_COHORT);
  const target = Math.min(wanted, most);
  const asked = Math.min(most, Math.ceil(target * plan.overSelection - 1e-9));
  return { target, asked, quorum: Math.max(1, Math.ceil(target * plan.quorum - 1e-9)) };
}

/**
 * Draws `size` participants without replacement. The result depends on the available participants and on the random
 * source, not on the order in which they are listed.
 *
 * @param beyond tells participants that take no seat: those drawn before the last seat is taken are asked in addition.
 */
export function selectCohort(
  available: Iterable<string>,
  size: number,
  random: RandomSource,
  beyond: (participant: string) => boolean = () => false,
): string[] {
  const cohort: string[] = [];
  let seats = 0;
  for (const participant of shuffle([...new Set(available)].sort(), random)) {
    if (seats === size) break;
    cohort.push(participant);
    if (!beyond(participant)) seats++;
  }
  return cohort;
}
