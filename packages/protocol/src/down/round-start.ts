import * as z from 'zod/mini';
import { FrameBytesSchema } from '../reply.ts';
import { HashSchema, RunIdSchema } from '../run.ts';

/** You are in the cohort: train on these weights. */
export const RoundStartSchema = z.strictObject({
  run: RunIdSchema,
  round: z.int().check(z.minimum(1)),
  attempt: z.int().check(z.minimum(1)),
  /** The weights hash of the model to begin from. */
  checkpoint: HashSchema,
  /** Milliseconds until the round closes by timer. */
  remaining: z.number(),
  /** How many participants were asked. */
  asked: z.int(),
  /** The model that the frame is the steps from; left out, the frame is the whole model. */
  base: z.optional(HashSchema),
  /** Whole, or the header alone: then the payload is fetched with `model-piece`. */
  frame: FrameBytesSchema,
});
export type RoundStart = z.infer<typeof RoundStartSchema>;
