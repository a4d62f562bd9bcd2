import * as z from 'zod/mini';
import { FrameBytesSchema } from '../reply.ts';
import { HashSchema, RunIdSchema } from '../run.ts';

/** You are in the cohort: train on these weights. */
export const RoundStartSchema = z.strictObject({
  run: RunIdSchema,
  round: z.int().check(z.minimum(1)),
  attempt: z.int().check(z.minimum(1)),
  /** The weights hash of the model in the frame. */
  checkpoint: HashSchema,
  /** Milliseconds until the round closes by timer. */
  remaining: z.number(),
  /** How many participants were asked. */
  asked: z.int(),
  /** Whole, or the header alone: then the payload is fetched with `model-piece`. */
  frame: FrameBytesSchema,
});
export type RoundStart = z.infer<typeof RoundStartSchema>;
