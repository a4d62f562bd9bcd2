import type { CodecKernels } from '../codecs.ts';
import type { ExactSumKernels } from '../exact-sum.ts';
import { hash } from './hash.ts';

/** Numbers that are rotated together, and the fewest that a last block is padded to. */
const BLOCK = 4096;
const SHORTEST = 256;

/** Lloyd–Max levels of 4 bits for the normal distribution: the upper eight, the others mirror them. */
const upper = Float32Array.of(
  0.12839504,
  0.3880483,
  0.65675914,
  0.94234043,
  1.2562312,
  1.6180464,
  2.0690172,
  2.7325895,
);
const levels = Float32Array.of(...[...upper].reverse().map((level) => -level), ...upper);

/** Coordinates are compared with bounds as whole multiples of 2⁻¹³ of their standard deviation. */
const UNITS = 8192;
/** Half way between two levels each. */
const bounds = [2115, 4279, 6549, 9005, 11773, 15102, 19667];
/** 1.5 · 2²³: added to a float32, it rounds it to a whole number, ties to even. */
const ROUNDER = 12582912;

const { fround } = Math;

export function scalarInt4(
  buffer: () => ArrayBuffer,
  { sumOfSquares }: Pick<ExactSumKernels, 'sumOfSquares'>,
): Pick<CodecKernels, 'encodeInt4' | 'decodeInt4'> {
  return {
    encodeInt4(n, x, seed, first, out) {
      const view = new DataView(buffer());
      let at = out;
      for (let from = 0; from < n; from += BLOCK) {
        const count = Math.min(n - from, BLOCK);
        const values = new Float32Array(buffer(), x + 4 * from, padded(count));
        values.fill(0, count);
        const squares = sumOfSquares(values.length, values.byteOffset);
        turnSigns(values, seed, wordOf(first + from) + 1);
        hadamard(values);
        turnSigns(values, seed, wordOf(first + from));
        hadamard(values);
        // The standard deviation of a coordinate is √(m · squares).
        const inverse = fround(UNITS / Math.sqrt(values.length * squares));
        const codes = new Uint8Array(buffer(), at + 4, values.length / 2).fill(0);
        const scale = fround((squares * inverse) / chooseLevels(values, inverse, codes));
        // Not so where all is zero, or where float32 has no such numbers.
        const usable = scale > 0 && scale < Number.POSITIVE_INFINITY;
        view.setFloat32(at, usable ? scale : 0, true);
        if (!usable) codes.fill(0);
        at += 4 + codes.length;
      }
    },
    decodeInt4(n, seed, first, from, to) {
      const view = new DataView(buffer());
      let at = from;
      for (let begin = 0; begin < n; begin += BLOCK) {
        const values = new Float32Array(buffer(), to + 4 * begin, padded(Math.min(n - begin, BLOCK)));
        const scale = view.getFloat32(at, true);
        at += 4;
        for (let i = 0; i < values.length; i += 2) {
          const codes = view.getUint8(at++);
          values[i] = (levels[codes & 15] as number) * scale;
          values[i + 1] = (levels[codes >>> 4] as number) * scale;
        }
        hadamard(values);
        turnSigns(values, seed, wordOf(first + begin));
        hadamard(values);
        turnSigns(values, seed, wordOf(first + begin) + 1);
      }
    },
  };
}

/** Padded length of a block of `count` values: a power of two. */
function padded(count: number): number {
  return Math.max(SHORTEST, 2 ** (32 - Math.clz32(count - 1)));
}

/** The word of a seed's stream with the first signs of a block; those of the other turn are in the word after it. */
function wordOf(first: number): number {
  return 2 * (first >>> 5);
}

/** Number i changes its sign if bit 31 − i mod 32 of word `word` + 2 ⌊i / 32⌋ of the seed's stream is 1. */
function turnSigns(values: Float32Array, seed: number, word: number): void {
  for (let i = 0; i < values.length; i++) {
    if (hash(seed, word + 2 * (i >>> 5)) << (i & 31) < 0) values[i] = -(values[i] as number);
  }
}

/** x ← H x: for h = 1, 2, 4, …, every pair (a, b) that lies h apart becomes (a + b, a − b). Not normalised. */
function hadamard(values: Float32Array): void {
  for (let h = 1; h < values.length; h *= 2) {
    for (let block = 0; block < values.length; block += 2 * h) {
      for (let i = block; i < block + h; i++) {
        const a = values[i] as number;
        const b = values[i + h] as number;
        values[i] = a + b;
        values[i + h] = a - b;
      }
    }
  }
}

/**
 * Writes the codes of values.
 *
 * @param inverse the factor from values to units.
 * @returns Σ value · inverse · level: eight float32 sums of every eighth value each, (0 + 4), (1 + 5), (2 + 6) and
 *   (3 + 7) in float32, of these (0 + 2) + (1 + 3).
 */
function chooseLevels(values: Float32Array, inverse: number, codes: Uint8Array): number {
  const sums = new Float32Array(8);
  for (let i = 0; i < values.length; i++) {
    const units = fround((values[i] as number) * inverse);
    const whole = fround(units + ROUNDER) - ROUNDER;
    let level = 0;
    while (level < bounds.length && Math.abs(whole) > (bounds[level] as number)) level++;
    const code = whole < 0 ? 7 - level : 8 + level;
    codes[i >>> 1] = (codes[i >>> 1] as number) | (code << (4 * (i & 1)));
    sums[i & 7] = (sums[i & 7] as number) + fround(units * (levels[code] as number));
  }
  const sum = (lane: number) => fround((sums[lane] as number) + (sums[lane + 4] as number));
  return sum(0) + sum(2) + (sum(1) + sum(3));
}
