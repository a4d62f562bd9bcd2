import * as z from 'zod/mini';
import { ReportedLossSchema, RunIdSchema } from '../run.ts';
import { TicketSchema } from '../ticket.ts';

/** A participant's progress on a question, at most twice a second. Unacknowledged; may be lost. */
export const ProgressSchema = z.strictObject({
  run: RunIdSchema,
  ticket: TicketSchema,
  stage: z.enum(['receiving', 'evaluating', 'training', 'sending']),
  epoch: z.int().check(z.minimum(0)),
  epochs: z.int().check(z.minimum(0)),
  /** Step within the epoch; while receiving and sending, piece of the frame. */
  step: z.int().check(z.minimum(0)),
  steps: z.int().check(z.minimum(0)),
  loss: ReportedLossSchema,
});
export type Progress = z.infer<typeof ProgressSchema>;
