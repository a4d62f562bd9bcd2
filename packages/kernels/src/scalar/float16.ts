import type { CodecKernels } from '../codecs.ts';

const LARGEST = 65504;
/** Below it float16 is subnormal. */
const SUBNORMAL = 2 ** -14;

const asFloat = new Float32Array(1);
const asBits = new Uint32Array(asFloat.buffer);

export function scalarFloat16(
  buffer: () => ArrayBuffer,
): Pick<CodecKernels, 'encodeFloat16' | 'decodeFloat16'> {
  return {
    encodeFloat16(n, x, out) {
      const from = new Uint32Array(buffer(), x, n);
      const to = new DataView(buffer());
      for (let i = 0; i < n; i++) {
        const sign = ((from[i] as number) >>> 16) & 0x8000;
        to.setUint16(out + 2 * i, sign | positive((from[i] as number) & 0x7fffffff), true);
      }
    },
    decodeFloat16(n, from, to) {
      const bytes = new DataView(buffer());
      const out = new Float32Array(buffer(), to, n);
      for (let i = 0; i < n; i++) {
        const half = bytes.getUint16(from + 2 * i, true);
        const exponent = (half >>> 10) & 31;
        const fraction = half & 0x3ff;
        const magnitude =
          exponent === 0
            ? fraction * 2 ** -24
            : exponent < 31
              ? (1024 + fraction) * 2 ** (exponent - 25)
              : fraction === 0
                ? Number.POSITIVE_INFINITY
                : Number.NaN;
        out[i] = half >= 0x8000 ? -magnitude : magnitude;
      }
    },
  };
}

function positive(bits: number): number {
  asBits[0] = bits;
  const value = Math.min(asFloat[0] as number, LARGEST);
  if (value < SUBNORMAL) {
    // float32 has whole multiples of 2⁻²⁴ from here to 1: the addition rounds to one of them.
    asFloat[0] = value + 0.5;
    return (asBits[0] as number) - 0x3f000000;
  }
  asFloat[0] = value;
  const magnitude = asBits[0] as number;
  return ((magnitude + 0xfff + ((magnitude >>> 13) & 1)) >>> 13) - (112 << 10);
}
