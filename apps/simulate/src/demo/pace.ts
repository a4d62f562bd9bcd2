import type { CreateRun, Json } from '@coppice/protocol';

/** The task of the demo. */
export const TASK = 'mnist-2nn';

/** The length of the story that a demo tells. */
export interface Pace {
  /** Rounds of the first run, and of a run that is launched by drift. */
  readonly rounds: number;
  readonly retraining: number;
  readonly periodMilliseconds: number;
  /** Periods without an alarm before the digits are turned. */
  readonly quiet: number;
}

/** About three minutes on two cores. */
const usual: Pace = { rounds: 30, retraining: 20, periodMilliseconds: 6000, quiet: 3 };
/** For tests: a model that is hardly trained is noticed as well. */
const short: Pace = { rounds: 6, retraining: 8, periodMilliseconds: 2000, quiet: 1 };

/** The pace that the environment asks for: `COPPICE_DEMO_SHORT=1` tells the story in half a minute. */
export function readPace(environment: Readonly<Record<string, string | undefined>>): Pace {
  return environment['COPPICE_DEMO_SHORT'] === '1' ? short : usual;
}

/** Every device takes part in every round; browsers may join. */
const plan = { epochs: 2, learningRate: 0.2, overSelection: 1, minParticipants: 5, deadlineSeconds: 60 };

/** The first run, which begins once its devices have joined. */
export function firstRun({ rounds }: Pace): CreateRun {
  return { task: TASK, plan: { ...plan, rounds }, start: false };
}

/** The policy of the task (`PolicySchema` of `continuity`): one alarm launches a run, half of the devices try its model. */
export function policyOf({ periodMilliseconds, retraining }: Pace): Json {
  return {
    version: 1,
    periodMilliseconds,
    watch: { kind: 'watch', threshold: 0.25, every: 10_000, fewest: 5, minimum: 5 },
    privacy: null,
    trigger: {
      kind: 'trigger',
      drift: { raise: 1, clear: 3 },
      schedule: null,
      newExamples: null,
      floor: null,
      coolDown: 3,
      budget: { periods: 1000, rounds: 1000, bytes: null, deviceSeconds: null, epsilon: null },
    },
    plan: { ...plan, rounds: retraining },
    gate: { kind: 'gate', alpha: 0.05, older: 0.2, worst: 0.3, fewest: 5 },
    // Arms of twenty devices are unequal by chance: at a higher level their numbers alone would take a candidate back.
    canary: {
      kind: 'canary',
      alpha: 0.1,
      silence: 0.001,
      participants: 16,
      margin: 0.1,
      periods: 20,
      share: 0.5,
    },
  };
}
