import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import type { RandomSource } from './random.ts';

/** Numbers in one block of SHA-256. */
const NUMBERS_A_BLOCK = 8;

/**
 * A reproducible source for noise that must stay secret: the same seed gives the same numbers on every machine, and
 * without it none of them follows from the others. SHA-256 in counter mode: block i is SHA-256 of the seed's
 * UTF-8 bytes, then i as 8 bytes, big-endian; eight big-endian numbers each.
 *
 * @param seed secret, with 128 random bits at least; each seed is for one use.
 */
export function secretRandom(seed: string): RandomSource {
  const text = utf8ToBytes(seed);
  const input = new Uint8Array(text.length + 8);
  input.set(text);
  const counter = new DataView(input.buffer, text.length);
  let block = new DataView(new ArrayBuffer(0));
  let at = NUMBERS_A_BLOCK;
  let next = 0n;
  return {
    uint32() {
      if (at === NUMBERS_A_BLOCK) {
        counter.setBigUint64(0, next++);
        const digest = sha256(input);
        block = new DataView(digest.buffer, digest.byteOffset);
        at = 0;
      }
      return block.getUint32(4 * at++);
    },
  };
}
