import * as z from 'zod/mini';
import { FrameBytesSchema, replySchema } from '../reply.ts';
import { RunIdSchema } from '../run.ts';
import { TicketSchema } from '../ticket.ts';

/** A piece of the payload of an answer whose header went with `answer`. */
export const AnswerPieceSchema = z.strictObject({
  run: RunIdSchema,
  ticket: TicketSchema,
  /** Its number, from 0. */
  piece: z.int().check(z.minimum(0)),
  bytes: FrameBytesSchema,
});
export type AnswerPiece = z.infer<typeof AnswerPieceSchema>;

/** `next`: the number of the piece wanted next, which may be any earlier or later one. */
export const AnswerPieceReplySchema = replySchema(z.object({ next: z.int().check(z.minimum(0)) }));
