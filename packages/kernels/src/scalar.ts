import type { Kernels } from './kernels.ts';
import { scalarActivations } from './scalar/activations.ts';
import { scalarBatchNorm } from './scalar/batch-norm.ts';
import { scalarConvolution } from './scalar/convolution.ts';
import { scalarExactSum } from './scalar/exact-sum.ts';
import { scalarFloat16 } from './scalar/float16.ts';
import { scalarInt4 } from './scalar/int4.ts';
import { scalarInt8 } from './scalar/int8.ts';
import { scalarLosses } from './scalar/losses.ts';
import { scalarMatmul } from './scalar/matmul.ts';
import { scalarOptimizers } from './scalar/optimizers.ts';

/**
 * The kernels in plain JavaScript, for engines without SIMD, and to hold the others against.
 *
 * @param buffer gives the memory as it is now: it may have grown.
 */
export function scalarKernels(buffer: () => ArrayBuffer): Kernels {
  const exactSum = scalarExactSum(buffer);
  return {
    ...scalarMatmul(buffer),
    ...scalarActivations(buffer),
    ...scalarLosses(buffer),
    ...scalarOptimizers(buffer),
    ...scalarConvolution(buffer),
    ...scalarBatchNorm(buffer),
    multiplyAdd(n, a, x, y) {
      const from = new Float32Array(buffer(), x, n);
      const to = new Float32Array(buffer(), y, n);
      const factor = Math.fround(a);
      for (let i = 0; i < n; i++) to[i] = Math.fround(factor * (from[i] as number)) + (to[i] as number);
    },
    fromBytes(n, x, y) {
      const from = new Uint8Array(buffer(), x, n);
      const to = new Float32Array(buffer(), y, n);
      for (let i = 0; i < n; i++) to[i] = (from[i] as number) / 255;
    },
    ...exactSum,
    ...scalarFloat16(buffer),
    ...scalarInt8(buffer),
    ...scalarInt4(buffer, exactSum),
  };
}
