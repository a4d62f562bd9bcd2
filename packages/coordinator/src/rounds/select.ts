import { cohortSizes, ExactAccumulator, selectCohort } from '@coppice/federation';
import { seededRandom } from '@coppice/ports';
import type { Plan } from '@coppice/protocol';
import type { Audience } from './audience.ts';
import type { OpenRound } from './open-round.ts';

/** Step 1: who is asked. The same seed, round, attempt and participants give the same cohort. */
export function select(args: {
  run: string;
  round: number;
  attempt: number;
  plan: Plan;
  parent: string;
  parameters: number;
  available: readonly string[];
  now: number;
  audience: Audience;
}): OpenRound {
  const { plan, round, attempt, available, now } = args;
  const sizes = cohortSizes(plan, available.length);
  const cohort = selectCohort(available, sizes.asked, seededRandom(plan.seed, 'cohort', round, attempt));
  return {
    run: args.run,
    round,
    attempt,
    sizes,
    parent: args.parent,
    startedAt: now,
    deadlineAt: now + plan.deadlineSeconds * 1000,
    cohort: new Map(
      cohort.map((id) => [
        id,
        { outcome: 'asked', milliseconds: null, bytesBefore: args.audience.bytes(id) },
      ]),
    ),
    sum: new ExactAccumulator(args.parameters),
    evaluations: [],
    losses: [],
    phases: {},
    refused: 0,
    diverged: 0,
  };
}
