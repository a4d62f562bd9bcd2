import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** 192 bits at random: not to be guessed, so that a plain hash of it is enough to keep. */
export function newSecret(prefix = ''): string {
  return prefix + randomBytes(24).toString('base64url');
}

export function newId(): string {
  return randomBytes(8).toString('hex');
}

/** What is stored of a secret that was made by `newSecret`. */
export function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** Compares hashes, so that time tells neither content nor length. */
export function same(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(hashOf(a)), Buffer.from(hashOf(b)));
}
