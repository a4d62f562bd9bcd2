import * as z from 'zod/mini';
import { ModelSchema, replySchema } from '../reply.ts';
import { HashSchema, RunIdSchema } from '../run.ts';

/** Ask for a run's current global model. */
export const PullSchema = z.strictObject({
  run: RunIdSchema,
  /** The model that is there already: what comes may be the steps from it. Left out, a whole model comes. */
  has: z.optional(HashSchema),
  /** True: of a model with frozen tensors come the others alone, and the header of the frozen ones. Left out, the whole. */
  parts: z.optional(z.boolean()),
});

export const PullReplySchema = replySchema(ModelSchema);
