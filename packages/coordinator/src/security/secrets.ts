import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** Makes a secret of 192 random bits, which cannot be guessed, so that a plain hash of it is safe to store. */
export function newSecret(prefix = ''): string {
  return prefix + randomBytes(24).toString('base64url');
}

export function newId(): string {
  return randomBytes(8).toString('hex');
}

/** The stored hash of a secret from `newSecret`. */
export function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** Compares hashes in constant time. */
export function same(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(hashOf(a)), Buffer.from(hashOf(b)));
}
