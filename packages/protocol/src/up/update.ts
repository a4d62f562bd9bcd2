import * as z from 'zod/mini';
import { MAX_EXAMPLES } from '../limits.ts';
import { FrameBytesSchema, replySchema } from '../reply.ts';
import { HashSchema, MetricsSchema, RunIdSchema } from '../run.ts';

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
  loss: z.nullable(z.number()),
  /** The received model, before training, on the participant's held-out examples. */
  evaluation: z.nullable(MetricsSchema),
  /** Milliseconds of training. */
  milliseconds: z.number(),
  frame: FrameBytesSchema,
});
export type Update = z.infer<typeof UpdateSchema>;

/** `duplicate`: it was counted before; nothing more to do. */
export const UpdateReplySchema = replySchema(z.strictObject({ duplicate: z.boolean() }));
