import * as z from 'zod/mini';

/** The handshake (`auth` of the Socket.IO connection to `/participant`). */
export const HelloSchema = z.strictObject({
  /** The newest protocol version that the participant speaks. */
  protocol: z.int().check(z.minimum(1)),
  /**
   * 32 random bytes as hex, made once by the participant and kept to itself. Whoever knows them is
   * this participant; its public id is the first 16 bytes of their SHA-256.
   */
  secret: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
});
export type Hello = z.infer<typeof HelloSchema>;
