import type * as tf from '../tf.ts';
import { replaceWasmKernel } from './kernel.ts';

/**
 * Registers sums[s] = Σ of the rows x[i] whose segment is s: the gradient of a look-up, and so of every embedding. The
 * WASM backend has none. Segments outside of the range are left out, as in tfjs.
 */
export function registerSegmentSum(): void {
  replaceWasmKernel('UnsortedSegmentSum', ({ inputs, attrs, backend }) => {
    const x = inputs['x'] as tf.TensorInfo;
    const segmentIds = inputs['segmentIds'] as tf.TensorInfo;
    const segments = attrs['numSegments'] as number;
    const inner = x.shape.slice(1);
    const size = inner.reduce((product, dimension) => product * dimension, 1);

    const sums = backend.makeOutput([segments, ...inner], 'float32');
    // Whole numbers, for all that the type says: a view has the tensor's own kind of number.
    const ids = backend.typedArrayFromHeap(segmentIds);
    const rows = backend.typedArrayFromHeap(x);
    const out = backend.typedArrayFromHeap(sums).fill(0);
    for (const [i, id] of ids.entries()) {
      if (id < 0 || id >= segments) continue;
      for (let k = 0; k < size; k++) {
        out[id * size + k] = (out[id * size + k] as number) + (rows[i * size + k] as number);
      }
    }
    return sums;
  });
}
