import * as z from 'zod/mini';

/** The first message of a connection: prove that the key is yours. Nothing else is heard before. */
export const ChallengeSchema = z.object({
  /** 32 random bytes, for this connection only. */
  nonce: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
});
