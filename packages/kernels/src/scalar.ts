import type { Kernels } from './kernels.ts';
import { scalarActivations } from './scalar/activations.ts';
import { scalarBatchNorm } from './scalar/batch-norm.ts';
import { scalarConvolution } from './scalar/convolution.ts';
import { scalarLosses } from './scalar/losses.ts';
import { scalarMatmul } from './scalar/matmul.ts';
import { scalarOptimizers } from './scalar/optimizers.ts';

const ROUNDER = 1.5 * 2 ** 52;

/**
 * The kernels in plain JavaScript, for engines without SIMD, and to hold the others against.
 *
 * @param buffer gives the memory as it is now: it may have grown.
 */
export function scalarKernels(buffer: () => ArrayBuffer): Kernels {
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
    addFloat32(n, scale, x, sums) {
      const from = new Float32Array(buffer(), x, n);
      const to = new BigInt64Array(buffer(), sums, n);
      const bits = new DataView(new ArrayBuffer(8));
      for (let i = 0; i < n; i++) {
        bits.setFloat64(0, scale * (from[i] as number) + ROUNDER);
        // The array itself wraps to 64 bits.
        to[i] = (to[i] as bigint) + bits.getBigInt64(0);
      }
    },
  };
}
