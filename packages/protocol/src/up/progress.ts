import * as z from 'zod/mini';
import { ReportedLossSchema, RunIdSchema } from '../run.ts';
import { TicketSchema } from '../ticket.ts';

/** Where a participant is with a question, twice a second at most. No answer; may be lost. */
export const ProgressSchema = z.strictObject({
  run: RunIdSchema,
  ticket: TicketSchema,
  stage: z.enum(['receiving', 'evaluating', 'training', 'sending']),
  epoch: z.int().check(z.minimum(0)),
  epochs: z.int().check(z.minimum(0)),
  /** Of the epoch's; while receiving and sending, of the frame's pieces. */
  step: z.int().check(z.minimum(0)),
  steps: z.int().check(z.minimum(0)),
  loss: ReportedLossSchema,
});
export type Progress = z.infer<typeof ProgressSchema>;
