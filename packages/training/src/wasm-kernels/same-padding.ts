import * as tf from '../tf.ts';
import { type KernelCall, replaceWasmKernel, wasmKernel } from './kernel.ts';

/**
 * Registers forward convolutions with padding "same" that pass explicit numbers to XNNPACK. Left to itself, XNNPACK
 * pads wrongly where the stride is larger than the filter in one direction and the other direction needs padding (a 1 ×
 * 3 filter, stride 2, an even height): its outputs are far off.
 */
export function registerSamePadding(): void {
  for (const name of ['Conv2D', 'FusedConv2D']) paddedByNumbers(name, false);
  for (const name of ['DepthwiseConv2dNative', 'FusedDepthwiseConv2D']) paddedByNumbers(name, true);
}

function paddedByNumbers(name: string, depthwise: boolean): void {
  const plain = wasmKernel(name);
  replaceWasmKernel(name, (call) => {
    if (call.attrs['pad'] !== 'same') return plain(call);
    return plain({ ...call, attrs: { ...call.attrs, pad: padding(call, depthwise) } });
  });
}

function padding({ inputs, attrs }: KernelCall, depthwise: boolean): tf.backend_util.ExplicitPadding {
  const { padInfo } = tf.backend_util.computeConv2DInfo(
    inputs['x']?.shape as [number, number, number, number],
    inputs['filter']?.shape as [number, number, number, number],
    attrs['strides'] as number | [number, number],
    (attrs['dilations'] ?? 1) as number | [number, number],
    'same',
    attrs['dimRoundingMode'] as 'floor' | 'round' | 'ceil',
    depthwise,
  );
  return [
    [0, 0],
    [padInfo.top, padInfo.bottom],
    [padInfo.left, padInfo.right],
    [0, 0],
  ];
}
