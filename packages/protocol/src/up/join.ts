import * as z from 'zod/mini';
import { ContributionLayoutSchema } from '../contribution.ts';
import { HashSchema } from '../hash.ts';
import { LayoutSchema } from '../layout.ts';
import { MAX_INVITATION } from '../limits.ts';
import { SentPlanSchema } from '../plan/plan.ts';
import { replySchema } from '../reply.ts';
import { RunIdSchema, RunSummarySchema } from '../run.ts';
import { TaskSchema } from '../task.ts';

/** Take part in a run. Sent after consent, and again after each reconnection. */
export const JoinSchema = z.strictObject({
  run: RunIdSchema,
  device: z.enum(['browser', 'headless']),
  /** The training backend, e.g. `planned` or `webgl`. */
  backend: z.string().check(z.maxLength(40)),
  /** Number of examples ready on the device. */
  examples: z.int().check(z.minimum(0)),
  /** Measured training speed in examples a second, where known. */
  speed: z.nullable(z.number().check(z.minimum(0))),
  /** Paused participants are connected but not selected. */
  paused: z.boolean(),
  /** The secret of an invitation to this run. Read only where the run would not admit the participant otherwise. */
  invitation: z.optional(z.string().check(z.minLength(1), z.maxLength(MAX_INVITATION))),
  /**
   * The hash of this run's model that the participant has stored; null: none. Left out by participants that store no
   * models: these are sent whole ones, never steps.
   */
  has: z.optional(z.nullable(HashSchema)),
});
export type Join = z.infer<typeof JoinSchema>;

export const JoinedSchema = z.object({
  run: RunSummarySchema,
  task: TaskSchema,
  plan: SentPlanSchema,
  /** Layout of the model. */
  layout: LayoutSchema,
  /** The layouts of answers, by the kind of the question. */
  answers: z.object({
    train: ContributionLayoutSchema,
    evaluate: ContributionLayoutSchema,
    /** Left out unless the task's scaling is still to be agreed. */
    statistics: z.optional(ContributionLayoutSchema),
  }),
  checkpoint: HashSchema,
  /** The hash of the recipe from raw data to the model's input and target, as the coordinator reads `task.data`. */
  recipe: HashSchema,
});
export type Joined = z.infer<typeof JoinedSchema>;

export const JoinReplySchema = replySchema(JoinedSchema);
