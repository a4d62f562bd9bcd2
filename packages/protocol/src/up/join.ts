import * as z from 'zod/mini';
import { ContributionLayoutSchema } from '../contribution.ts';
import { LayoutSchema } from '../layout.ts';
import { MAX_INVITATION } from '../limits.ts';
import { SentPlanSchema } from '../plan/plan.ts';
import { replySchema } from '../reply.ts';
import { HashSchema, RunIdSchema, RunSummarySchema } from '../run.ts';
import { TaskSchema } from '../task.ts';

/** Take part in a run. Sent after consent, and again after each reconnection. */
export const JoinSchema = z.strictObject({
  run: RunIdSchema,
  device: z.enum(['browser', 'headless']),
  /** The backend that will train, e.g. `planned` or `webgl`. */
  backend: z.string().check(z.maxLength(40)),
  /** How many examples are ready on the device. */
  examples: z.int().check(z.minimum(0)),
  /** Measured training speed in examples a second, where known. */
  speed: z.nullable(z.number().check(z.minimum(0))),
  /** Paused participants are connected but not selected. */
  paused: z.boolean(),
  /** The secret of an invitation to this run. Looked at where the run would not admit the participant without. */
  invitation: z.optional(z.string().check(z.minLength(1), z.maxLength(MAX_INVITATION))),
  /**
   * The weights hash of the model of this run that the participant has kept; null: none. Left out by those who keep
   * no models: they are sent whole ones, never steps.
   */
  has: z.optional(z.nullable(HashSchema)),
});
export type Join = z.infer<typeof JoinSchema>;

export const JoinedSchema = z.object({
  run: RunSummarySchema,
  task: TaskSchema,
  plan: SentPlanSchema,
  /** The model's. */
  layout: LayoutSchema,
  /** The layouts of answers, by the kind of the question. */
  answers: z.object({ train: ContributionLayoutSchema, evaluate: ContributionLayoutSchema }),
  checkpoint: HashSchema,
});
export type Joined = z.infer<typeof JoinedSchema>;

export const JoinReplySchema = replySchema(JoinedSchema);
