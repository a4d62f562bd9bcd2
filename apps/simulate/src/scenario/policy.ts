import type { StreamSize } from '@coppice/datasets';
import type { Json, PlanInputValues, Task } from '@coppice/protocol';
import { PERIOD } from './world.ts';

/** A plan by the task's defaults, with which every device takes part in every round, so that rounds repeat. */
export function everyDevice(
  { planDefaults }: Task,
  { participants }: Pick<StreamSize, 'participants'>,
  plan: PlanInputValues,
): PlanInputValues {
  return {
    ...planDefaults,
    minParticipants: participants,
    cohortFraction: 1,
    overSelection: 1,
    quorum: 1,
    seed: 1,
    ...plan,
  };
}

/** The parts of a scenario's policy. */
export interface PolicyParts {
  readonly plan: PlanInputValues;
  /** Launches for drift. */
  readonly drift?: boolean;
  /** Launches where the mean error is above this in so many periods in a row; left out: none. */
  readonly floor?: { readonly error: number; readonly raise: number };
  /** Launches for so many new examples; left out: none. */
  readonly newExamples?: number;
  /** False: a candidate is not compared with production. */
  readonly gate?: boolean;
  readonly coolDown?: number;
  /** Devices below which nothing is told of a sum; left out: 5. */
  readonly fewest?: number;
  /** The participants at whose outcomes a canary's last look is taken, and the increase of its errors that is accepted; null: none. */
  readonly canary: null | {
    readonly participants: number;
    readonly margin: number;
    readonly periods: number;
  };
}

/** The policy of a scenario: one false alarm in a hundred periods, a comparison, and a canary for half of the devices. */
export function policyOf(parts: PolicyParts): Json {
  const { plan, drift = true, floor, newExamples, gate = true, coolDown = 2, fewest = 5, canary } = parts;
  return {
    version: 1,
    periodMilliseconds: PERIOD,
    watch: { kind: 'watch', threshold: 0.1, every: 100, fewest, minimum: 10 },
    privacy: null,
    trigger: {
      kind: 'trigger',
      drift: drift ? { raise: 1, clear: 2 } : null,
      schedule: null,
      newExamples: newExamples ?? null,
      floor: floor ?? null,
      coolDown,
      budget: { periods: 30, rounds: 200, bytes: null, deviceSeconds: null, epsilon: null },
    },
    plan: plan as Record<string, string | number | null>,
    gate: gate ? { kind: 'gate', alpha: 0.05, older: 0.1, worst: 0.15, fewest: 10 } : null,
    canary: canary === null ? null : { kind: 'canary', alpha: 0.05, share: 0.5, ...canary },
  };
}
