import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kernelInstance, runs, variants } from './instance.ts';

describe.each(variants.filter(runs))('%s kernels', (variant) => {
  it('multiply and add like float64 does, within a float32 rounding or two', () => {
    const value = fc.float({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 });
    fc.assert(
      fc.property(fc.array(fc.tuple(value, value), { maxLength: 40 }), value, (pairs, a) => {
        const n = pairs.length;
        const instance = kernelInstance(1024, variant);
        const x = new Float32Array(instance.buffer, 0, n);
        const y = new Float32Array(instance.buffer, 512, n);
        pairs.forEach(([from, to], i) => {
          x[i] = from;
          y[i] = to;
        });
        instance.kernels.multiplyAdd(n, a, 0, 512);
        pairs.forEach(([from, to], i) => {
          const exact = a * from + to;
          const bound = 2 ** -23 * (Math.abs(a * from) + Math.abs(to)) + 2 ** -148;
          expect(Math.abs((y[i] as number) - exact)).toBeLessThanOrEqual(bound);
        });
      }),
    );
  });

  it('turn every byte into the 255th that float64 rounds to, in a place of their own or over the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0, maxLength: 70 }), fc.boolean(), (bytes, over) => {
        const n = bytes.length;
        const instance = kernelInstance(8192, variant);
        const y = 1024;
        const x = over ? y + 3 * n : 5000;
        new Uint8Array(instance.buffer, x, n).set(bytes);
        instance.kernels.fromBytes(n, x, y);
        const guard = new Uint8Array(instance.buffer, y + 4 * n, 16);
        expect([...guard]).toEqual(new Array(16).fill(0));
        expect([...new Float32Array(instance.buffer, y, n)]).toEqual(
          Array.from(bytes, (byte) => Math.fround(byte / 255)),
        );
        if (!over) expect(new Uint8Array(instance.buffer, x, n)).toEqual(bytes);
      }),
    );
    const all = kernelInstance(4096, variant);
    new Uint8Array(all.buffer, 2048, 256).set(Array.from({ length: 256 }, (_, byte) => byte));
    all.kernels.fromBytes(256, 2048, 0);
    for (const [byte, value] of new Float32Array(all.buffer, 0, 256).entries()) {
      expect(value).toBe(Math.fround(byte / 255));
    }
  });
});
