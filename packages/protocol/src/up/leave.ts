import * as z from 'zod/mini';
import { NothingSchema, replySchema } from '../reply.ts';
import { RunIdSchema } from '../run.ts';

/** Take part no longer. An update already accepted stays counted. */
export const LeaveSchema = z.strictObject({ run: RunIdSchema });

export const LeaveReplySchema = replySchema(NothingSchema);
