import * as z from 'zod/mini';
import { NothingSchema, replySchema } from '../reply.ts';

/** The answer to `challenge`. */
export const ProveSchema = z.strictObject({
  /** ECDSA over `proofBytes`, r and s of 32 bytes each, base64url without padding. */
  signature: z.string().check(z.regex(/^[A-Za-z0-9_-]{86}$/)),
});

export const ProveReplySchema = replySchema(NothingSchema);
