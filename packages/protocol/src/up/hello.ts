import * as z from 'zod/mini';

/**
 * The handshake (`auth` of the Socket.IO connection to `/participant`). It is read before a version is chosen, so
 * unknown fields are ignored in it, unlike in all other messages up.
 */
export const HelloSchema = z.object({
  /** The newest protocol version that the participant speaks. */
  protocol: z.int().check(z.minimum(1)),
  /** The oldest version that it speaks; left out, the same. The coordinator chooses the newest that both speak. */
  oldest: z.optional(z.int().check(z.minimum(1))),
  /** Optional capabilities of the participant: names as in the `requires` of docs/plan.md. */
  features: z.optional(z.array(z.string().check(z.maxLength(60))).check(z.maxLength(200))),
  /**
   * Its public key: an uncompressed point of P-256, 65 bytes, base64url without padding. The
   * participant's id is the first 16 bytes of its SHA-256, once the key is proved by `prove`.
   */
  key: z.string().check(z.regex(/^[A-Za-z0-9_-]{87}$/)),
});
export type Hello = z.infer<typeof HelloSchema>;
