import * as z from 'zod/mini';
import { replySchema } from '../reply.ts';
import { RunIdSchema } from '../run.ts';
import { TicketSchema } from '../ticket.ts';

/** Ask which answers to earlier questions counted in rounds that led to this run's current model. */
export const CountedSchema = z.strictObject({
  run: RunIdSchema,
  tickets: z.array(TicketSchema).check(z.minLength(1), z.maxLength(8)),
});

/** In the order of the question; `null` while the exchange is open. */
export const CountedReplySchema = replySchema(z.object({ counted: z.array(z.nullable(z.boolean())) }));
