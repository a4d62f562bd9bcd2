import * as z from 'zod/mini';
import { NothingSchema, replySchema } from '../reply.ts';
import { HashSchema, ReportedMetricsSchema, RunIdSchema } from '../run.ts';

/** The answer to `evaluate`: a model on the participant's held-out examples. */
export const EvaluationSchema = z.strictObject({
  run: RunIdSchema,
  checkpoint: HashSchema,
  metrics: ReportedMetricsSchema,
});
export type Evaluation = z.infer<typeof EvaluationSchema>;

export const EvaluationReplySchema = replySchema(NothingSchema);
