import * as z from 'zod/mini';
import { CodecSchema } from '../codec.ts';
import { HashSchema } from '../hash.ts';
import { FrameBytesSchema, replySchema } from '../reply.ts';
import { RunIdSchema } from '../run.ts';

/** Request a piece of the payload of a parcel, a model among them, whose header came alone. */
export const ParcelPieceSchema = z.strictObject({
  run: RunIdSchema,
  /** The parcel's name. */
  hash: HashSchema,
  /** The codec in the header, since a model can travel both exact and rounded. Left out: float32. */
  codec: z.optional(CodecSchema),
  /** Its number, from 0. */
  piece: z.int().check(z.minimum(0)),
});
export type ParcelPiece = z.infer<typeof ParcelPieceSchema>;

export const ParcelPieceReplySchema = replySchema(z.object({ bytes: FrameBytesSchema }));
