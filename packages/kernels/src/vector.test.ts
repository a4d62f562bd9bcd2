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
});
