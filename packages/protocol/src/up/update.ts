import * as z from 'zod/mini';
import { MAX_EXAMPLES, MAX_TRAINING_MILLISECONDS } from '../limits.ts';
import { FrameBytesSchema, replySchema } from '../reply.ts';
import { HashSchema, ReportedLossSchema, ReportedMetricsSchema, RunIdSchema } from '../run.ts';

/** What a participant learned in a round: new weights minus the weights it was given. */
export const UpdateSchema = z.strictObject({
  run: RunIdSchema,
  round: z.int(),
  attempt: z.int(),
  /** The weights hash of the model that training began from. */
  checkpoint: HashSchema,
  /** How many examples it was trained on: its weight in the mean. */
  examples: z.int().check(z.minimum(1), z.maximum(MAX_EXAMPLES)),
  /** Mean training loss of the last epoch. */
  loss: ReportedLossSchema,
  /** The received model, before training, on the participant's held-out examples; null where the plan holds none out. */
  evaluation: z.nullable(ReportedMetricsSchema),
  /** Milliseconds of training. */
  milliseconds: z.number().check(z.minimum(0), z.maximum(MAX_TRAINING_MILLISECONDS)),
  /** Whole, or the header alone where it would be larger than a piece. */
  frame: FrameBytesSchema,
});
export type Update = z.infer<typeof UpdateSchema>;

/**
 * `duplicate`: it was counted before; nothing more to do. `next`: the piece of its payload that is wanted
 * next; null once it is counted.
 */
export const UpdateReplySchema = replySchema(
  z.strictObject({ duplicate: z.boolean(), next: z.nullable(z.int().check(z.minimum(0))) }),
);
