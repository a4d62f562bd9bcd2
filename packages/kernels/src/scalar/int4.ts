import type { CodecKernels } from '../codecs.ts';
import type { ExactSumKernels } from '../exact-sum.ts';
import { hash } from './hash.ts';

/** Parameters that are rotated together. */
const BLOCK = 4096;
const SHORTEST = 8;

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
/** Half way between two levels. */
const bounds = Float32Array.of(0.25822166, 0.5224037, 0.7995498, 1.0992858, 1.4371388, 1.8435318, 2.4008033);

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
        turnSigns(values, seed, (first + from) >>> 5);
        const squares = sumOfSquares(values.length, values.byteOffset);
        hadamard(values);
        const codes = new Uint8Array(buffer(), at + 4, values.length / 2).fill(0);
        const overlap = squares > 0 ? chooseLevels(values, fround(1 / Math.sqrt(squares)), codes) : 0;
        view.setFloat32(at, overlap > 0 ? squares / overlap : 0, true);
        if (!(overlap > 0)) codes.fill(0);
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
        turnSigns(values, seed, (first + begin) >>> 5);
      }
    },
  };
}

/** How many numbers a block of so many values is padded to: a power of two. */
function padded(count: number): number {
  return Math.max(SHORTEST, 2 ** (32 - Math.clz32(count - 1)));
}

/** Turns the signs of values whose bit in the seed's stream is 1: value i by bit i mod 32 of word `word` + i / 32. */
function turnSigns(values: Float32Array, seed: number, word: number): void {
  for (let i = 0; i < values.length; i++) {
    if ((hash(seed, word + (i >>> 5)) >>> (i & 31)) & 1) values[i] = -(values[i] as number);
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

/** Writes the codes of values. @returns Σ value · level, as the sum of two float64 sums by even and odd index. */
function chooseLevels(values: Float32Array, inverse: number, codes: Uint8Array): number {
  let even = 0;
  let odd = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    const z = fround(value * inverse);
    let level = 0;
    while (level < bounds.length && Math.abs(z) > (bounds[level] as number)) level++;
    const code = z < 0 ? 7 - level : 8 + level;
    codes[i >>> 1] = (codes[i >>> 1] as number) | (code << (4 * (i & 1)));
    const part = value * (levels[code] as number);
    if (i % 2 === 0) even += part;
    else odd += part;
  }
  return even + odd;
}
