import * as z from 'zod/mini';
import { ModelSchema, replySchema } from '../reply.ts';
import { RunIdSchema } from '../run.ts';

/** Ask for a run's current global model. */
export const PullSchema = z.strictObject({ run: RunIdSchema });

export const PullReplySchema = replySchema(ModelSchema);
