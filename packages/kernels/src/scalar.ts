import type { Kernels } from './kernels.ts';
import { scalarExactSum } from './scalar/exact-sum.ts';
import { scalarFloat16 } from './scalar/float16.ts';
import { scalarInt4 } from './scalar/int4.ts';
import { scalarInt8 } from './scalar/int8.ts';

/**
 * The kernels in plain JavaScript, for engines without SIMD, and to hold the others against.
 *
 * @param buffer gives the memory as it is now: it may have grown.
 */
export function scalarKernels(buffer: () => ArrayBuffer): Kernels {
  const exactSum = scalarExactSum(buffer);
  return {
    multiplyAdd(n, a, x, y) {
      const from = new Float32Array(buffer(), x, n);
      const to = new Float32Array(buffer(), y, n);
      const factor = Math.fround(a);
      for (let i = 0; i < n; i++) to[i] = Math.fround(factor * (from[i] as number)) + (to[i] as number);
    },
    ...exactSum,
    ...scalarFloat16(buffer),
    ...scalarInt8(buffer),
    ...scalarInt4(buffer, exactSum),
  };
}
