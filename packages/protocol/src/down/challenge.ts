import * as z from 'zod/mini';

/** The first message of a connection: a challenge to prove possession of the key. Other messages are ignored until then. */
export const ChallengeSchema = z.object({
  /** 32 random bytes, for this connection only. */
  nonce: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
});
