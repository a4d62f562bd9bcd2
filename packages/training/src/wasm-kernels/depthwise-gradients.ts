import * as tf from '../tf.ts';
import { type KernelCall, replaceWasmKernel } from './kernel.ts';

/**
 * Registers the gradients of a depthwise convolution (depthwise and separable layers) on WASM: the backend has none. A
 * depthwise product shares nothing between channels, so there is no matrix in it for XNNPACK; both are loops whose
 * innermost run over neighbours in memory.
 */
export function registerDepthwiseGradients(): void {
  replaceWasmKernel('DepthwiseConv2dNativeBackpropFilter', backpropFilter);
  replaceWasmKernel('DepthwiseConv2dNativeBackpropInput', backpropInput);
}

/**
 * Visits every pair of an output position and a filter position that meets a number of X, with the memory offsets of
 * all three: `visit(x, dy, filter)`, each the first channel's index.
 */
function eachMeeting(
  info: tf.backend_util.Conv2DInfo,
  visit: (x: number, dy: number, filter: number) => void,
): void {
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels } = info;
  const { filterHeight, filterWidth, strideHeight, strideWidth } = info;
  const { top, left } = info.padInfo;
  for (let n = 0; n < batchSize; n++) {
    for (let y = 0; y < outHeight; y++) {
      for (let x = 0; x < outWidth; x++) {
        const dy = ((n * outHeight + y) * outWidth + x) * outChannels;
        for (let i = 0; i < filterHeight; i++) {
          const row = y * strideHeight - top + i;
          if (row < 0 || row >= inHeight) continue;
          for (let j = 0; j < filterWidth; j++) {
            const column = x * strideWidth - left + j;
            if (column < 0 || column >= inWidth) continue;
            visit(
              ((n * inHeight + row) * inWidth + column) * inChannels,
              dy,
              (i * filterWidth + j) * outChannels,
            );
          }
        }
      }
    }
  }
}

/** dW[i,j,c,m] = Σ over n,y,x of X[n, y·s+i, x·s+j, c] · dY[n, y, x, c·M+m], with X padded. */
function backpropFilter(call: KernelCall): tf.TensorInfo {
  const x = call.inputs['x'] as tf.TensorInfo;
  const dy = call.inputs['dy'] as tf.TensorInfo;
  const info = convolution(call, x.shape, call.attrs['filterShape'] as number[]);
  const { inChannels } = info;
  const multiplier = info.outChannels / inChannels;

  const gradient = call.backend.makeOutput([...info.filterShape], 'float32');
  const xs = call.backend.typedArrayFromHeap(x);
  const dys = call.backend.typedArrayFromHeap(dy);
  // A sum of as many numbers as a batch has pixels: in double precision, as tfjs's own loop does it.
  const sums = new Float64Array(info.filterHeight * info.filterWidth * info.outChannels);
  eachMeeting(info, (fromX, fromDy, fromFilter) => {
    for (let c = 0, o = 0; c < inChannels; c++) {
      const value = xs[fromX + c] as number;
      for (let m = 0; m < multiplier; m++, o++) {
        sums[fromFilter + o] = (sums[fromFilter + o] as number) + value * (dys[fromDy + o] as number);
      }
    }
  });
  call.backend.typedArrayFromHeap(gradient).set(sums);
  return gradient;
}

/** dX[n, y·s+i, x·s+j, c] = Σ over all i,j,y,x that meet there, and m, of dY[n,y,x,c·M+m] · W[i,j,c,m]. */
function backpropInput(call: KernelCall): tf.TensorInfo {
  const dy = call.inputs['dy'] as tf.TensorInfo;
  const filter = call.inputs['filter'] as tf.TensorInfo;
  const info = convolution(call, call.attrs['inputShape'] as number[], filter.shape);
  const { inChannels } = info;
  const multiplier = info.outChannels / inChannels;

  const gradient = call.backend.makeOutput([...info.inShape], 'float32');
  const dys = call.backend.typedArrayFromHeap(dy);
  const weights = call.backend.typedArrayFromHeap(filter);
  const dxs = call.backend.typedArrayFromHeap(gradient).fill(0);
  eachMeeting(info, (toX, fromDy, fromFilter) => {
    for (let c = 0, o = 0; c < inChannels; c++) {
      let sum = 0;
      for (let m = 0; m < multiplier; m++, o++) {
        sum += (dys[fromDy + o] as number) * (weights[fromFilter + o] as number);
      }
      dxs[toX + c] = (dxs[toX + c] as number) + sum;
    }
  });
  return gradient;
}

/** tfjs has no gradient of a dilated depthwise convolution on any backend, and says so before it comes here. */
function convolution(call: KernelCall, inputShape: number[], filterShape: number[]) {
  const { strides, pad, dimRoundingMode } = call.attrs;
  return tf.backend_util.computeConv2DInfo(
    inputShape as [number, number, number, number],
    filterShape as [number, number, number, number],
    strides as number | [number, number],
    1,
    pad as Parameters<typeof tf.backend_util.computeConv2DInfo>[4],
    dimRoundingMode as 'floor' | 'round' | 'ceil',
    true,
  );
}
