import * as z from 'zod/mini';
import { RunIdSchema } from '../run.ts';

/** Where a participant is in its round, twice a second at most. No answer; may be lost. */
export const ProgressSchema = z.strictObject({
  run: RunIdSchema,
  round: z.int(),
  stage: z.enum(['evaluating', 'training', 'sending']),
  epoch: z.int(),
  epochs: z.int(),
  step: z.int(),
  steps: z.int(),
  loss: z.nullable(z.number()),
});
export type Progress = z.infer<typeof ProgressSchema>;
