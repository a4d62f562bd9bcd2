import * as z from 'zod/mini';
import { sentErrorCodes } from '../errors.ts';
import { NothingSchema, replySchema } from '../reply.ts';
import { RunIdSchema } from '../run.ts';
import { TicketSchema } from '../ticket.ts';

/** Announce that no answer to this question will follow. */
export const DeclineSchema = z.strictObject({
  run: RunIdSchema,
  ticket: TicketSchema,
  /**
   * `paused` and `dropout` (a simulated one) are decisions; the rest are failures: a code of docs/errors. A participant
   * that cannot compute the question (an unknown layer or optimizer) declines with `backend-unavailable`, and one
   * without a better code with `internal`. An unknown code is read as `internal`, so that a newer participant's decline
   * counts.
   */
  reason: z.union([
    z.enum(['paused', 'dropout', ...sentErrorCodes]),
    z.string().check(z.maxLength(60), z.regex(/^[a-z]+(-[a-z]+)*$/)),
  ]),
});
export type Decline = z.infer<typeof DeclineSchema>;

export const DeclineReplySchema = replySchema(NothingSchema);
