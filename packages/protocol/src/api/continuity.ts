import * as z from 'zod/mini';
import { HashSchema } from '../hash.ts';
import { JsonSchema } from '../json.ts';
import { CauseSchema, CheckpointIdSchema } from '../lineage.ts';
import { RunIdSchema } from '../run.ts';
import { TaskIdSchema } from '../task.ts';

/* The policy by which a task is kept good, and the firings of its trigger, as operators and pages see them. */

const count = z.int().check(z.minimum(0));
const version = z.int().check(z.minimum(1));
/** Milliseconds since 1970. */
const time = z.number();

/** `GET /api/tasks/:task/policy`: the version that holds now. Its fields are `PolicySchema` of `continuity`. */
export const PolicyInfoSchema = z.strictObject({
  task: TaskIdSchema,
  /** Null: none was ever saved. */
  version: z.nullable(version),
  at: z.nullable(time),
  by: z.nullable(CauseSchema),
  /** Null: the task is not watched. */
  policy: z.nullable(JsonSchema),
});
export type PolicyInfo = z.infer<typeof PolicyInfoSchema>;

/** `PUT /api/tasks/:task/policy`. */
export const PutPolicySchema = z.strictObject({
  /** The version that the sender knows; null: none. */
  expected: z.nullable(version),
  policy: z.nullable(JsonSchema),
});
export type PutPolicy = z.infer<typeof PutPolicySchema>;

/** The part of the watch that a task is in. */
export const WatchStateSchema = z.enum([
  /** No policy. */
  'off',
  /** Production names no checkpoint. */
  'no-release',
  /** `statistics` make the release's reference. */
  'reference',
  /** `report` once a period. */
  'reports',
  /** The privacy budget of the task is spent: nothing is asked. */
  'budget-spent',
]);
export type WatchState = z.infer<typeof WatchStateSchema>;

/** `GET /api/tasks/:task/watch`: what a device reports, and with which bins. Public. */
export const WatchInfoSchema = z.object({
  task: TaskIdSchema,
  state: WatchStateSchema,
  /** The version of the consent that participants give; null where the task is not watched. */
  consent: z.nullable(HashSchema),
  /** The length of a period in milliseconds, and the fewest observations of which anything leaves a device; null likewise. */
  periodMilliseconds: z.nullable(z.number()),
  minimum: z.nullable(count),
  /** Noise on sums, and the budget; null: there is none. */
  privacy: z.nullable(
    z.object({ rho: z.number(), epsilon: z.number(), delta: z.number(), spentEpsilon: z.number() }),
  ),
  /** The release that is watched; null: there is none. */
  release: z.nullable(z.object({ sequence: version, checkpoint: CheckpointIdSchema, hash: HashSchema })),
  /** The binning or the reference that answers are made with now (`BinningSchema` and `ReferenceSchema` of `continuity`), and its hash. */
  reference: z.nullable(z.object({ identity: HashSchema, binning: JsonSchema })),
});
export type WatchInfo = z.infer<typeof WatchInfoSchema>;

/** The reference of a release, which is kept for ever. */
export const ReleaseReferenceSchema = z.object({
  task: TaskIdSchema,
  /** The number of the move of production. */
  release: version,
  checkpoint: CheckpointIdSchema,
  /** The hash of its weights. */
  hash: HashSchema,
  /** Milliseconds since 1970. */
  at: z.number(),
  /** As that of `WatchInfo`. */
  reference: z.object({ identity: HashSchema, binning: JsonSchema }),
});
export type ReleaseReference = z.infer<typeof ReleaseReferenceSchema>;

/** The states of a firing, in their order. */
export const FiringStateSchema = z.enum(['launching', 'training', 'comparing', 'canary', 'ended']);
export type FiringState = z.infer<typeof FiringStateSchema>;

export const FiringOutcomeSchema = z.enum([
  /** Production names its candidate. */
  'released',
  /** The comparison refused it, or could not tell. */
  'refused',
  /** The canary was worse, or could not be told from it in time. */
  'rolled-back',
  /** The privacy budget had no room for its comparison. */
  'budget-spent',
  /** Its run was paused by the coordinator. */
  'run-paused',
  /** Its run made no round for too long. */
  'run-stalled',
  /** Its run failed, or was stopped by an admin. */
  'run-ended',
  /** An admin moved production while it went on. */
  'overtaken',
]);
export type FiringOutcome = z.infer<typeof FiringOutcomeSchema>;

/** The causes of firings. */
export const firingCauses = ['by-hand', 'drift', 'floor', 'schedule', 'new-examples'] as const;
export type FiringCause = (typeof firingCauses)[number];

/** The hindrances of launches that have a cause. */
export const launchHindrances = ['running', 'data-quality', 'cool-down', 'no-new-data', 'budget'] as const;

/** The checks of a comparison. */
export const gateChecks = ['recent', 'discordant', 'older', 'class', 'group', 'worst-tenth'] as const;

/** The cost of a firing's run; null: not known. */
const cost = z.object({
  rounds: z.nullable(z.number()),
  bytes: z.nullable(z.number()),
  deviceSeconds: z.nullable(z.number()),
  epsilon: z.nullable(z.number()),
});

/** One firing of a task's trigger, from its causes to its end. Firings are never deleted. */
export const FiringSchema = z.object({
  task: TaskIdSchema,
  /** Its number among those of the task, from 1 without gaps. */
  sequence: version,
  at: time,
  /** The period with the evidence; null: by hand or by the schedule, before the first. */
  period: z.nullable(count),
  /** The reasons of the decision (`TriggerReason` of `continuity`). */
  causes: z.array(JsonSchema),
  /** The version of the policy that it goes by, to its end. */
  policy: version,
  /** The checkpoint in production, from which its run began. */
  production: CheckpointIdSchema,
  state: FiringStateSchema,
  run: z.nullable(RunIdSchema),
  candidate: z.nullable(CheckpointIdSchema),
  /** The comparison with production; null: not begun, or the policy has no gate. */
  comparison: z.nullable(
    z.object({
      startedAt: time,
      /** Its number among the candidates of the quarter, from 1: it decides on its share of the error. */
      candidate: version,
      participants: count,
      /** Null: it goes on. */
      decision: z.nullable(z.enum(['accept', 'refuse', 'wait'])),
      /** `GateReason` of `continuity`. */
      reasons: z.array(JsonSchema),
    }),
  ),
  /** The canary; null: not begun, or the policy has none. */
  canary: z.nullable(
    z.object({
      /** The move of the channel `canary` that began it. */
      sequence: version,
      startedAt: time,
      /** Shares of the planned participants at its looks. */
      looks: z.array(z.number()),
      /** Participants with outcomes in each group at the last look. */
      participants: z.object({ canary: count, control: count }),
      /** Null: it goes on. */
      decision: z.nullable(z.enum(['promote', 'roll-back'])),
      /** `CanaryReason` of `continuity`, of the last look. */
      reasons: z.array(JsonSchema),
    }),
  ),
  outcome: z.nullable(FiringOutcomeSchema),
  endedAt: z.nullable(time),
  /** The move of production that it ended with; null: there was none. */
  release: z.nullable(version),
  spent: cost,
});
export type Firing = z.infer<typeof FiringSchema>;

/** `GET /api/tasks/:task/firings?before=&limit=`: newest first. */
export const FiringsSchema = z.array(FiringSchema);

/** `POST /api/tasks/:task/firings`: fires by hand. */
export const FireSchema = z.strictObject({});
