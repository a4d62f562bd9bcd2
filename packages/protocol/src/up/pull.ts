import * as z from 'zod/mini';
import { ModelSchema, replySchema } from '../reply.ts';
import { HashSchema, RunIdSchema } from '../run.ts';

/** Ask for a run's current global model. */
export const PullSchema = z.strictObject({
  run: RunIdSchema,
  /** The model that is there already: what comes may be the steps from it. Left out, a whole model comes. */
  has: z.optional(HashSchema),
});

export const PullReplySchema = replySchema(ModelSchema);
