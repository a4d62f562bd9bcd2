import type { CodecKernels } from '../codecs.ts';
import { hash } from './hash.ts';

/** Parameters that share a scale. */
const BLOCK = 1024;
const LARGEST = 127;
const SMALLEST_NORMAL = 2 ** -126;

const { fround } = Math;
const asFloat = new Float32Array(1);
const asBits = new Int32Array(asFloat.buffer);

export function scalarInt8(
  buffer: () => ArrayBuffer,
): Pick<CodecKernels, 'encodeInt8' | 'encodeInt8Nearest' | 'decodeInt8'> {
  /** @param round a value, in units of its block's scale, and its place → a whole number. */
  const encode = (n: number, x: number, out: number, round: (units: number, i: number) => number) => {
    const values = new Float32Array(buffer(), x, n);
    const view = new DataView(buffer());
    let at = out;
    for (let from = 0; from < n; from += BLOCK) {
      const to = Math.min(n, from + BLOCK);
      const scale = scaleOf(values.subarray(from, to));
      view.setFloat32(at, scale, true);
      at += 4;
      const inverse = fround(1 / scale);
      for (let i = from; i < to; i++) {
        const rounded = round(fround((values[i] as number) * inverse), i);
        view.setInt8(at++, scale === 0 ? 0 : Math.max(-LARGEST, Math.min(LARGEST, rounded)));
      }
    }
  };
  return {
    encodeInt8(n, x, seed, first, out) {
      encode(n, x, out, (units, i) => Math.floor(fround(units + (hash(seed, first + i) >>> 8) * 2 ** -24)));
    },
    encodeInt8Nearest(n, x, out) {
      encode(n, x, out, toEven);
    },
    decodeInt8(n, from, to) {
      const view = new DataView(buffer());
      const out = new Float32Array(buffer(), to, n);
      let at = from;
      let scale = 0;
      for (let i = 0; i < n; i++) {
        if (i % BLOCK === 0) {
          scale = view.getFloat32(at, true);
          at += 4;
        }
        out[i] = view.getInt8(at++) * scale;
      }
    },
  };
}

/** To the nearest whole number, ties to the even one. */
function toEven(units: number): number {
  const down = Math.floor(units);
  const over = units - down;
  return over < 0.5 || (over === 0.5 && down % 2 === 0) ? down : down + 1;
}

/** A 127th of the largest magnitude, rounded up, so that nothing is beyond 127. */
function scaleOf(values: Float32Array): number {
  let largest = 0;
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  asFloat[0] = largest / LARGEST;
  if ((asFloat[0] as number) * LARGEST < largest) asBits[0] = (asBits[0] as number) + 1;
  const scale = asFloat[0] as number;
  return scale < SMALLEST_NORMAL ? 0 : scale;
}
