import * as z from 'zod/mini';
import { FrameBytesSchema, replySchema } from '../reply.ts';
import { RunIdSchema } from '../run.ts';

/** A piece of the payload of an update whose header was sent with `update`. */
export const UpdatePieceSchema = z.strictObject({
  run: RunIdSchema,
  round: z.int(),
  attempt: z.int(),
  /** Its number, from 0. */
  piece: z.int().check(z.minimum(0)),
  bytes: FrameBytesSchema,
});
export type UpdatePiece = z.infer<typeof UpdatePieceSchema>;

/** `next`: the piece that is wanted next, which may be one that was sent before or long after this one. */
export const UpdatePieceReplySchema = replySchema(z.strictObject({ next: z.int().check(z.minimum(0)) }));
