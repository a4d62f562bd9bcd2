import * as z from 'zod/mini';
import { FrameBytesSchema } from '../reply.ts';
import { HashSchema, RunIdSchema } from '../run.ts';

/** Measure this model on your held-out examples and answer with `evaluation`. Nothing is trained. */
export const EvaluateSchema = z.strictObject({
  run: RunIdSchema,
  round: z.int(),
  checkpoint: HashSchema,
  /** The model that the frame is the steps from; left out, the frame is the whole model. */
  base: z.optional(HashSchema),
  /** Whole, or the header alone: then the payload is fetched with `model-piece`. */
  frame: FrameBytesSchema,
});
export type Evaluate = z.infer<typeof EvaluateSchema>;
