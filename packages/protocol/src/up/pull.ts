import * as z from 'zod/mini';
import { HashSchema } from '../hash.ts';
import { ModelSchema, replySchema } from '../reply.ts';
import { RunIdSchema } from '../run.ts';

/** Request a run's current global model. */
export const PullSchema = z.strictObject({
  run: RunIdSchema,
  /** The hash of a model that is already here: the reply may be the steps from it. Left out: the reply is a whole model. */
  has: z.optional(HashSchema),
  /** True: of a model with frozen tensors come the others alone, and the header of the frozen ones. Left out, the whole. */
  parts: z.optional(z.boolean()),
});

export const PullReplySchema = replySchema(ModelSchema);
