import * as tf from '../tf.ts';
import { type KernelCall, replaceWasmKernel, reshaped, type WasmBackend, wasmKernel } from './kernel.ts';

/**
 * Registers the gradients of a 2-D convolution on WASM, composed of other kernels: the backend has none for the filter,
 * and a plain loop for the input.
 */
export function registerConv2DGradients(): void {
  replaceWasmKernel('Conv2DBackpropFilter', conv2DBackpropFilter);
  const loop = wasmKernel('Conv2DBackpropInput');
  replaceWasmKernel('Conv2DBackpropInput', (call) => conv2DBackpropInput(call) ?? loop(call));
}

type Pad = 'same' | 'valid' | number | tf.backend_util.ExplicitPadding;

function convolution(call: KernelCall, inputShape: number[], filterShape: number[]) {
  const { strides, pad, dataFormat, dimRoundingMode } = call.attrs;
  if (dataFormat !== 'NHWC')
    throw new Error(`The WASM backend convolves channels-last only, not ${dataFormat}`);
  return tf.backend_util.computeConv2DInfo(
    inputShape as [number, number, number, number],
    filterShape as [number, number, number, number],
    strides as number | [number, number],
    1,
    pad as Pad,
    dimRoundingMode as 'floor' | 'round' | 'ceil',
    false,
  );
}

/**
 * dW[i,j,c,o] = Σ over n,y,x of X[n, y·s+i, x·s+j, c] · dY[n,y,x,o], with X padded.
 *
 * Seen as one matrix product: (columns of X, one row per filter position and channel) · dY. The
 * columns are gathered straight into WASM memory (im2col), the product is XNNPACK's.
 */
function conv2DBackpropFilter(call: KernelCall): tf.TensorInfo {
  const { backend, attrs } = call;
  const x = call.inputs['x'] as tf.TensorInfo;
  const dy = call.inputs['dy'] as tf.TensorInfo;
  const filterShape = attrs['filterShape'] as number[];
  const info = convolution(call, x.shape, filterShape);
  const positions = info.batchSize * info.outHeight * info.outWidth;
  const rows = info.filterHeight * info.filterWidth * info.inChannels;

  const columns = backend.makeOutput([positions, rows], 'float32');
  gatherColumns(info, backend.typedArrayFromHeap(x), backend.typedArrayFromHeap(columns));
  const gradient = wasmKernel('BatchMatMul')({
    inputs: { a: columns, b: reshaped(dy, [positions, info.outChannels]) },
    backend,
    attrs: { transposeA: true, transposeB: false },
  });
  backend.disposeData(columns.dataId);
  return reshaped(gradient, filterShape);
}

/** im2col: `columns[n,y,x][i,j,c]` = X[n, y·s+i−top, x·s+j−left, c], zero outside of X. */
function gatherColumns(info: tf.backend_util.Conv2DInfo, x: Float32Array, columns: Float32Array): void {
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth } = info;
  const { filterHeight, filterWidth, strideHeight, strideWidth } = info;
  const { top, left } = info.padInfo;
  const run = filterWidth * inChannels;
  columns.fill(0);
  let at = 0;
  for (let n = 0; n < batchSize; n++) {
    for (let y = 0; y < outHeight; y++) {
      for (let column = 0; column < outWidth; column++) {
        // The part of a filter row that lies inside of X is contiguous in memory.
        const firstX = column * strideWidth - left;
        const from = Math.max(0, firstX);
        const length = (Math.min(inWidth, firstX + filterWidth) - from) * inChannels;
        const shift = (from - firstX) * inChannels;
        for (let i = 0; i < filterHeight; i++, at += run) {
          const row = y * strideHeight - top + i;
          if (row < 0 || row >= inHeight || length <= 0) continue;
          const source = ((n * inHeight + row) * inWidth + from) * inChannels;
          for (let k = 0; k < length; k++) columns[at + shift + k] = x[source + k] as number;
        }
      }
    }
  }
}

/**
 * For stride 1, dX is a convolution of the padded dY with the filter rotated by 180° and its channels swapped. Returns
 * null for larger strides.
 */
function conv2DBackpropInput(call: KernelCall): tf.TensorInfo | null {
  const { backend, attrs } = call;
  const dy = call.inputs['dy'] as tf.TensorInfo;
  const filter = call.inputs['filter'] as tf.TensorInfo;
  const info = convolution(call, attrs['inputShape'] as number[], filter.shape);
  if (info.strideHeight !== 1 || info.strideWidth !== 1) return null;
  const { filterHeight, filterWidth, padInfo } = info;
  const before = [filterHeight - 1 - padInfo.top, filterWidth - 1 - padInfo.left] as const;
  const after = [filterHeight - 1 - padInfo.bottom, filterWidth - 1 - padInfo.right] as const;
  // Padding by more than the filter's own size: nothing real does it.
  if (Math.min(...before, ...after) < 0) return null;

  const padded = wasmKernel('PadV2')({
    inputs: { x: dy },
    backend,
    attrs: {
      paddings: [
        [0, 0],
        [before[0], after[0]],
        [before[1], after[1]],
        [0, 0],
      ],
      constantValue: 0,
    },
  });
  const turned = turnedFilter(filter, backend);
  const gradient = wasmKernel('Conv2D')({
    inputs: { x: padded, filter: turned },
    backend,
    attrs: { strides: [1, 1], pad: 'valid', dataFormat: 'NHWC', dilations: [1, 1] },
  });
  backend.disposeData(padded.dataId);
  backend.disposeData(turned.dataId);
  return gradient;
}

/** F[h−1−i, w−1−j, o, c] from F[i, j, c, o]. */
function turnedFilter(filter: tf.TensorInfo, backend: WasmBackend): tf.TensorInfo {
  const [height, width, inChannels, outChannels] = filter.shape as [number, number, number, number];
  const turned = backend.makeOutput([height, width, outChannels, inChannels], 'float32');
  const from = backend.typedArrayFromHeap(filter);
  const to = backend.typedArrayFromHeap(turned);
  const size = inChannels * outChannels;
  for (let position = 0; position < height * width; position++) {
    const source = position * size;
    const target = (height * width - 1 - position) * size;
    for (let c = 0; c < inChannels; c++) {
      for (let o = 0; o < outChannels; o++) {
        to[target + o * inChannels + c] = from[source + c * outChannels + o] as number;
      }
    }
  }
  return turned;
}
