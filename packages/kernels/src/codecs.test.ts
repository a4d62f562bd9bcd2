import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kernelInstance, runs, variants } from './instance.ts';

const VALUES = 0;
const BYTES = 8192 * 4;

/** Encodes numbers to bytes that lie `offset` beyond an aligned address, and decodes them again. */
function roundTrip(
  variant: (typeof variants)[number],
  codec: 'Float16' | 'Int8' | 'Int8Nearest' | 'Int4',
  numbers: readonly number[],
  { seed = 1, offset = 0 } = {},
): { bytes: Uint8Array; decoded: Float32Array } {
  const n = numbers.length;
  const { buffer, kernels } = kernelInstance(3 * BYTES, variant);
  new Float32Array(buffer, VALUES, n).set(numbers);
  const at = BYTES + offset;
  let length: number;
  if (codec === 'Float16') {
    kernels.encodeFloat16(n, VALUES, at);
    length = 2 * n;
  } else if (codec === 'Int8' || codec === 'Int8Nearest') {
    if (codec === 'Int8') kernels.encodeInt8(n, VALUES, seed, 4096, at);
    else kernels.encodeInt8Nearest(n, VALUES, at);
    length = n + 4 * Math.ceil(n / 1024);
  } else {
    kernels.encodeInt4(n, VALUES, seed, 4096, at);
    const rest = n % 4096;
    const last = rest === 0 ? 0 : 4 + Math.max(256, 2 ** Math.ceil(Math.log2(rest))) / 2;
    length = Math.floor(n / 4096) * 2052 + last;
  }
  const all = new Uint8Array(buffer);
  expect(all.subarray(at + length, at + length + 8)).toEqual(new Uint8Array(8));
  const bytes = all.slice(at, at + length);
  if (codec === 'Float16') kernels.decodeFloat16(n, at, VALUES);
  else if (codec !== 'Int4') kernels.decodeInt8(n, at, VALUES);
  else kernels.decodeInt4(n, seed, 4096, at, VALUES);
  return { bytes, decoded: new Float32Array(buffer, VALUES, n).slice() };
}

const sized = fc
  .constantFrom(1e-30, 1e-6, 0.01, 1, 1000)
  .chain((size) =>
    fc
      .array(fc.float({ min: -1, max: 1, noNaN: true }), { minLength: 1, maxLength: 100 })
      .map((numbers) => numbers.map((number) => Math.fround(number * size))),
  );
/** Long enough for several blocks, and not a multiple of anything. */
const long = (n: number) => Array.from({ length: n }, (_, i) => Math.fround(Math.sin(i * i) * 0.01));

describe('codecs', () => {
  const available = variants.filter(runs);

  it.each(['Float16', 'Int8', 'Int8Nearest', 'Int4'] as const)(
    '%s gives the same bits on every variant, at any address',
    (codec) => {
      const same = (numbers: readonly number[], seed: number, offset: number) => {
        const [first, ...others] = available.map((variant) =>
          roundTrip(variant, codec, numbers, { seed, offset }),
        );
        for (const other of others) {
          expect(other.bytes).toEqual(first?.bytes);
          expect(new Uint8Array(other.decoded.buffer)).toEqual(
            new Uint8Array(first?.decoded.buffer ?? new ArrayBuffer(0)),
          );
        }
      };
      fc.assert(fc.property(sized, fc.integer({ min: 0, max: 0xffffffff }), fc.nat(3), same));
      for (const n of [256, 257, 513, 1023, 1024, 1025, 2049, 4096, 4097, 7777]) same(long(n), 7, 1);
      same(
        Array.from({ length: 20 }, () => 0),
        3,
        0,
      );
      same([1e-45, -1e-45, 0, 1e-44], 3, 0);
      same([1e-38, -3e-38, 2e-38], 3, 0);
      same([3e38, -1e38, 2e38], 3, 0);
    },
  );
});

describe.each(variants.filter(runs))('codecs on %s kernels', (variant) => {
  it('round to float16 as the language does, and read every float16 there is', () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ noNaN: true, min: -65504, max: 65504 }), { minLength: 1, maxLength: 30 }),
        (numbers) => {
          const { bytes, decoded } = roundTrip(variant, 'Float16', numbers);
          const view = new DataView(bytes.buffer);
          numbers.forEach((number, i) => {
            const expected = new DataView(new ArrayBuffer(2));
            expected.setFloat16(0, number, true);
            expect(view.getUint16(2 * i, true)).toBe(expected.getUint16(0, true));
            expect(decoded[i]).toBe(Math.f16round(number));
          });
        },
      ),
    );
    const { buffer, kernels } = kernelInstance(3 * 65536 * 4, variant);
    const halves = new DataView(buffer, 65536 * 4);
    for (let bits = 0; bits < 65536; bits++) halves.setUint16(2 * bits, bits, true);
    kernels.decodeFloat16(65536, 65536 * 4, 0);
    const decoded = new Float32Array(buffer, 0, 65536);
    for (let bits = 0; bits < 65536; bits++) {
      if (decoded[bits] !== halves.getFloat16(2 * bits, true))
        expect(decoded[bits]).toBe(halves.getFloat16(2 * bits, true));
    }
    expect([...roundTrip(variant, 'Float16', [1e9, -65519, 65520, 3, 4]).decoded]).toEqual([
      65504, -65504, 65504, 3, 4,
    ]);
  });

  it('round to int8 to the nearest, ties to even', () => {
    const numbers = [127, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 0.49, -126.6, 3.75, 100.25];
    const { decoded } = roundTrip(variant, 'Int8Nearest', numbers);
    expect([...decoded].map((value) => value + 0)).toEqual([127, 0, 2, 2, 0, -2, -2, 0, -127, 4, 100]);
    const scale = Math.max(...long(7777).map(Math.abs)) / 127;
    const many = long(7777);
    const errors = roundTrip(variant, 'Int8Nearest', many).decoded.map((value, i) =>
      Math.abs(value - (many[i] as number)),
    );
    expect(Math.max(...errors)).toBeLessThanOrEqual(scale * 0.50001);
  });

  it('round to int8 within one step, and right on average', () => {
    const numbers = [1, -0.5, 0.3, 1e-3, -1e-3, 0, 0.7777];
    const sums = numbers.map(() => 0);
    const times = 4000;
    for (let seed = 0; seed < times; seed++) {
      const { decoded } = roundTrip(variant, 'Int8', numbers, { seed: seed * 7919 });
      decoded.forEach((value, i) => {
        expect(Math.abs(value - (numbers[i] as number))).toBeLessThan(1.0001 / 127);
        sums[i] = (sums[i] as number) + value;
      });
    }
    // Five standard errors of a rounding that is off by half a step at most.
    const bound = (5 * 0.5) / 127 / Math.sqrt(times);
    for (const [i, sum] of sums.entries()) {
      expect(Math.abs(sum / times - (numbers[i] as number))).toBeLessThan(bound);
    }
    expect(sums[0]).toBeCloseTo(times, 2);
    expect(sums[5]).toBe(0);
  });
});
