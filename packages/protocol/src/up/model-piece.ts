import * as z from 'zod/mini';
import { CodecSchema } from '../codec.ts';
import { FrameBytesSchema, replySchema } from '../reply.ts';
import { HashSchema, RunIdSchema } from '../run.ts';

/** Ask for a piece of the payload of a model that came as a header alone. */
export const ModelPieceSchema = z.strictObject({
  run: RunIdSchema,
  checkpoint: HashSchema,
  /** The codec in the header that came: a model can travel exact and rounded. Left out, float32. */
  codec: z.optional(CodecSchema),
  /** Its number, from 0. */
  piece: z.int().check(z.minimum(0)),
});

export const ModelPieceReplySchema = replySchema(z.strictObject({ bytes: FrameBytesSchema }));
