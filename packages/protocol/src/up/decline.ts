import * as z from 'zod/mini';
import { sentErrorCodes } from '../errors.ts';
import { NothingSchema, replySchema } from '../reply.ts';
import { RunIdSchema } from '../run.ts';
import { TicketSchema } from '../ticket.ts';

/** Say that no answer will come to this question, so that nobody waits for it. */
export const DeclineSchema = z.strictObject({
  run: RunIdSchema,
  ticket: TicketSchema,
  /**
   * `paused` and `dropout` (a simulated one) are decisions, the rest are failures: a code of docs/errors. A participant
   * that cannot compute the question (a layer or an optimizer that it does not know) declines with `backend-unavailable`,
   * one without a better word with `internal`. A code that the coordinator does not know reads as `internal`, so that a
   * newer participant's decline is heard.
   */
  reason: z.union([
    z.enum(['paused', 'dropout', ...sentErrorCodes]),
    z.string().check(z.maxLength(60), z.regex(/^[a-z]+(-[a-z]+)*$/)),
  ]),
});
export type Decline = z.infer<typeof DeclineSchema>;

export const DeclineReplySchema = replySchema(NothingSchema);
