import * as z from 'zod/mini';
import { NothingSchema, replySchema } from '../reply.ts';
import { RunIdSchema } from '../run.ts';

/** Pause, resume, or a new example count. Paused participants are not selected. */
export const AvailabilitySchema = z.strictObject({
  run: RunIdSchema,
  paused: z.boolean(),
  examples: z.int().check(z.minimum(0)),
});
export type Availability = z.infer<typeof AvailabilitySchema>;

export const AvailabilityReplySchema = replySchema(NothingSchema);
