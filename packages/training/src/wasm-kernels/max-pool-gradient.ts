import * as tf from '../tf.ts';
import { replaceWasmKernel } from './kernel.ts';

/**
 * Registers the gradient of max pooling: each number of dy goes to the largest of its window, the first of several. The
 * WASM backend's own (tfjs 4.22) starts its comparison at the smallest positive float32, so that a window without a
 * positive number sends its gradient to the picture's first pixel.
 */
export function registerMaxPoolGradient(): void {
  replaceWasmKernel('MaxPoolGrad', ({ inputs, attrs, backend }) => {
    const [input, dy] = [inputs['input'] as tf.TensorInfo, inputs['dy'] as tf.TensorInfo];
    const {
      batchSize,
      inHeight: h,
      inWidth: w,
      inChannels: c,
      outHeight,
      outWidth,
      effectiveFilterHeight,
      effectiveFilterWidth,
      strideHeight,
      strideWidth,
      padInfo,
    } = tf.backend_util.computePool2DInfo(
      input.shape as [number, number, number, number],
      attrs['filterSize'] as number | [number, number],
      attrs['strides'] as number | [number, number],
      1,
      attrs['pad'] as 'same' | 'valid' | number,
      attrs['dimRoundingMode'] as 'floor' | 'round' | 'ceil',
    );
    const dx = backend.makeOutput(input.shape, 'float32');
    const pixels = backend.typedArrayFromHeap(input);
    const from = backend.typedArrayFromHeap(dy);
    const to = backend.typedArrayFromHeap(dx).fill(0);
    let at = 0;
    for (let picture = 0; picture < batchSize; picture++) {
      const start = picture * h * w;
      for (let oy = 0; oy < outHeight; oy++) {
        const top = oy * strideHeight - padInfo.top;
        const [y0, y1] = [Math.max(0, top), Math.min(h, top + effectiveFilterHeight)];
        for (let ox = 0; ox < outWidth; ox++) {
          const left = ox * strideWidth - padInfo.left;
          const [x0, x1] = [Math.max(0, left), Math.min(w, left + effectiveFilterWidth)];
          for (let channel = 0; channel < c; channel++) {
            let best = (start + y0 * w + x0) * c + channel;
            for (let y = y0; y < y1; y++) {
              for (let x = x0; x < x1; x++) {
                const place = (start + y * w + x) * c + channel;
                if ((pixels[place] as number) > (pixels[best] as number)) best = place;
              }
            }
            to[best] = (to[best] as number) + (from[at++] as number);
          }
        }
      }
    }
    return dx;
  });
}
