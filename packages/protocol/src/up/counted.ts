import * as z from 'zod/mini';
import { replySchema } from '../reply.ts';
import { RunIdSchema } from '../run.ts';
import { TicketSchema } from '../ticket.ts';

/** Ask whether the answers to earlier questions counted in rounds that this run's model has behind it. */
export const CountedSchema = z.strictObject({
  run: RunIdSchema,
  tickets: z.array(TicketSchema).check(z.minLength(1), z.maxLength(8)),
});

/** In the order asked: `null` while the exchange is open. */
export const CountedReplySchema = replySchema(z.object({ counted: z.array(z.nullable(z.boolean())) }));
