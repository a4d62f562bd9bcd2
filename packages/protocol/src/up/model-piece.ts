import * as z from 'zod/mini';
import { FrameBytesSchema, replySchema } from '../reply.ts';
import { HashSchema, RunIdSchema } from '../run.ts';

/** Ask for a piece of the payload of a model that came as a header alone. */
export const ModelPieceSchema = z.strictObject({
  run: RunIdSchema,
  checkpoint: HashSchema,
  /** Its number, from 0. */
  piece: z.int().check(z.minimum(0)),
});

export const ModelPieceReplySchema = replySchema(z.strictObject({ bytes: FrameBytesSchema }));
