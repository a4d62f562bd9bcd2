import { sha256 } from '@noble/hashes/sha2.js';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';

/** Randomness, as an argument. */
export interface RandomSource {
  /** The next 32 random bits, 0 … 2³²−1. */
  uint32(): number;
}

/**
 * A reproducible source: the same path gives the same numbers on every machine. A path such as
 * `(seed, 'round', 3, participantId)` gives each use a stream of its own, so that the order in which
 * streams are used changes nothing.
 *
 * Generator: xoroshiro128+ (Blackman & Vigna, 2018), seeded by SHA-256 of the path. Not for secrets.
 */
export function seededRandom(...path: readonly (string | number)[]): RandomSource {
  const text = path.map(String).join('/');
  const digest = sha256(Uint8Array.from(unescape(encodeURIComponent(text)), (c) => c.charCodeAt(0)));
  const view = new DataView(digest.buffer, digest.byteOffset);
  // The whole 128-bit state comes from the digest; it is all zero (forbidden) once in 2^128.
  const generator = xoroshiro128plusFromState([0, 4, 8, 12].map((at) => view.getInt32(at, true)));
  return { uint32: () => generator.next() >>> 0 };
}

/** A number in [0, 1) with 53 random bits. */
export function uniform(random: RandomSource): number {
  return ((random.uint32() >>> 5) * 0x4000000 + (random.uint32() >>> 6)) / 0x20000000000000;
}

/** A whole number in [0, below), without modulo bias. `below` is 1 … 2³². */
export function integerBelow(random: RandomSource, below: number): number {
  if (!Number.isInteger(below) || below < 1 || below > 0x100000000) {
    throw new RangeError(`integerBelow takes a whole number from 1 to 2^32, not ${below}`);
  }
  const limit = 0x100000000 - (0x100000000 % below);
  for (;;) {
    const drawn = random.uint32();
    if (drawn < limit) return drawn % below;
  }
}

/** Shuffles in place (Fisher–Yates) and returns the same array. */
export function shuffle<T extends { length: number; [index: number]: unknown }>(
  items: T,
  random: RandomSource,
): T {
  for (let i = items.length - 1; i > 0; i--) {
    const j = integerBelow(random, i + 1);
    const held = items[i];
    items[i] = items[j];
    items[j] = held;
  }
  return items;
}

/** A number from the standard normal distribution (Box–Muller). */
export function normal(random: RandomSource): number {
  const radius = Math.sqrt(-2 * Math.log(1 - uniform(random)));
  return radius * Math.cos(2 * Math.PI * uniform(random));
}
