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
  /** The hits that may be lost on older examples; null: recent ones alone are compared; left out: 0.1. */
  readonly older?: number | null;
  /** True: runs train on the examples since the alarm. */
  readonly sinceAlarm?: boolean;
  readonly coolDown?: number;
  /** The rounds of all launches in 30 periods; left out: 200. */
  readonly rounds?: number;
  /** Devices below which nothing is told of a sum; left out: 5. */
  readonly fewest?: number;
  /** The participants at whose outcomes a canary's last look is taken, and the increase of its errors that is accepted; null: none. */
  readonly canary: null | {
    readonly participants: number;
    readonly margin: number;
    readonly periods: number;
  };
}

/** The policy of a scenario: one false alarm in a hundred periods, a comparison, and a canary for half of the devices where there is one. */
export function policyOf(parts: PolicyParts): Json {
  const { plan, drift = true, floor, newExamples, canary } = parts;
  const { gate = true, older = 0.1, sinceAlarm = false, coolDown = 2, rounds = 200, fewest = 5 } = parts;
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
      budget: { periods: 30, rounds, bytes: null, deviceSeconds: null, epsilon: null },
    },
    plan: plan as Record<string, string | number | null>,
    sinceAlarm,
    gate: gate ? { kind: 'gate', alpha: 0.05, older, worst: 0.15, fewest: 10 } : null,
    canary: canary === null ? null : { kind: 'canary', alpha: 0.05, share: 0.5, ...canary },
  };
}
