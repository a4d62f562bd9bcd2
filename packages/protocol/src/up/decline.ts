import * as z from 'zod/mini';
import { sentErrorCodes } from '../errors.ts';
import { NothingSchema, replySchema } from '../reply.ts';
import { RunIdSchema } from '../run.ts';

/** Say that no update will come for this round, so that nobody waits for it. */
export const DeclineSchema = z.strictObject({
  run: RunIdSchema,
  round: z.int(),
  attempt: z.int(),
  /** `paused` and `dropout` (a simulated one) are decisions, the rest are failures. */
  reason: z.union([z.literal('paused'), z.literal('dropout'), z.enum(sentErrorCodes)]),
});
export type Decline = z.infer<typeof DeclineSchema>;

export const DeclineReplySchema = replySchema(NothingSchema);
