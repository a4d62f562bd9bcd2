import { channelsLast, numbersOf, textOf } from './config.ts';
import type { GraphLayer, GraphWeight, LayerCall } from './graph.ts';
import type { OnnxBuilder, Value } from './onnx-builder.ts';
import type { Attribute } from './onnx-file.ts';
import { transpose } from './transpose.ts';
import { unsupported } from './unsupported.ts';

type Attributes = Readonly<Record<string, Attribute>>;

/** Adds a convolution of one, two or three dimensions. */
export function convolution(graph: OnnxBuilder, call: LayerCall, input: Value): string {
  const kernel = weightOf(call, 'kernel');
  const rank = kernel.shape.length - 2;
  // [size…, in, out] → [out, in, size…]
  return convolve(graph, call, input, transpose(kernel, [rank + 1, rank, ...sizes(rank)]), {
    group: 1n,
  });
}

/** Adds a convolution of each channel alone. */
export function depthwise(graph: OnnxBuilder, call: LayerCall, input: Value): string {
  const { name, kernel, attributes } = channelwise(graph, call, weightOf(call, 'depthwise_kernel'));
  return graph.node('Conv', [graph.first(input).name, name, ...biasOf(graph, call)], {
    ...window(call, input, kernel),
    ...attributes,
  });
}

/** Adds a convolution of each channel, and one of 1 × 1 over all of them. */
export function separable(graph: OnnxBuilder, call: LayerCall, input: Value): string {
  const { name, kernel, attributes } = channelwise(graph, call, weightOf(call, 'depthwise_kernel'));
  const each = graph.node('Conv', [graph.first(input).name, name], {
    ...window(call, input, kernel),
    ...attributes,
  });
  const pointwise = weightOf(call, 'pointwise_kernel');
  const rank = pointwise.shape.length - 2;
  const turned = transpose(pointwise, [rank + 1, rank, ...sizes(rank)]);
  return graph.node('Conv', [
    each,
    graph.floats('pointwise_kernel', turned.shape, turned.values),
    ...biasOf(graph, call),
  ]);
}

/** Adds a transposed convolution. */
export function transposed(graph: OnnxBuilder, call: LayerCall, input: Value): string {
  channelsLast(call);
  const kernel = weightOf(call, 'kernel');
  const rank = kernel.shape.length - 2;
  // [size…, out, in] → [in, out, size…]
  const turned = transpose(kernel, [rank + 1, rank, ...sizes(rank)]);
  const strides = numbersOf(call, 'strides', rank);
  if (numbersOf(call, 'dilationRate', rank).some((rate) => rate !== 1))
    throw unsupported(call.name, 'is a transposed convolution with dilation');
  const same = textOf(call, 'padding', 'valid') === 'same';
  const kernelSize = kernel.shape.slice(0, rank);
  const differences = kernelSize.map((size, i) => size - (strides[i] as number));
  const cut = differences.map((difference) => (same ? Math.max(difference, 0) : 0));
  return graph.node(
    'ConvTranspose',
    [graph.first(input).name, graph.floats('kernel', turned.shape, turned.values), ...biasOf(graph, call)],
    {
      strides: strides.map(BigInt),
      pads: padsOf(cut),
      output_padding: differences.map((difference) => BigInt(Math.max(-difference, 0))),
    },
  );
}

/** Adds a pooling by a window. */
export function pooling(
  graph: OnnxBuilder,
  call: LayerCall,
  input: Value,
  op: 'MaxPool' | 'AveragePool',
): string {
  channelsLast(call);
  const rank = input.shape.length - 2;
  const size = numbersOf(call, 'poolSize', rank, 2);
  const strides = call.config['strides'] == null ? size : numbersOf(call, 'strides', rank);
  return graph.node(op, [graph.first(input).name], {
    kernel_shape: size.map(BigInt),
    strides: strides.map(BigInt),
    pads: padding(call, input, { size, strides, dilation: size.map(() => 1) }),
    // What lies outside of the input does not count, as in tfjs.
    ...(op === 'AveragePool' ? { count_include_pad: 0n } : {}),
  });
}

function convolve(
  graph: OnnxBuilder,
  call: LayerCall,
  input: Value,
  kernel: GraphWeight,
  attributes: Attributes,
): string {
  const name = graph.floats('kernel', kernel.shape, kernel.values);
  return graph.node('Conv', [graph.first(input).name, name, ...biasOf(graph, call)], {
    ...window(call, input, kernel.shape.slice(2)),
    ...attributes,
  });
}

/** A depthwise kernel, [size…, in, multiplier], as a convolution of groups: [in · multiplier, 1, size…]. */
function channelwise(graph: OnnxBuilder, layer: GraphLayer, kernel: GraphWeight) {
  const rank = kernel.shape.length - 2;
  const [channels = 1, multiplier = 1] = kernel.shape.slice(rank);
  const { values } = transpose(kernel, [rank, rank + 1, ...sizes(rank)]);
  const size = kernel.shape.slice(0, rank);
  channelsLast(layer);
  return {
    name: graph.floats('depthwise_kernel', [channels * multiplier, 1, ...size], values),
    kernel: size,
    attributes: { group: BigInt(channels) },
  };
}

function window(call: LayerCall, input: Value, size: readonly number[]): Attributes {
  channelsLast(call);
  const strides = numbersOf(call, 'strides', size.length);
  const dilation = numbersOf(call, 'dilationRate', size.length);
  return {
    kernel_shape: size.map(BigInt),
    strides: strides.map(BigInt),
    dilations: dilation.map(BigInt),
    pads: padding(call, input, { size, strides, dilation }),
  };
}

/** Padding as TensorFlow has it: of an odd number the larger half lies behind. */
function padding(
  call: LayerCall,
  input: Value,
  {
    size,
    strides,
    dilation,
  }: { size: readonly number[]; strides: readonly number[]; dilation: readonly number[] },
): bigint[] {
  const kind = textOf(call, 'padding', 'valid');
  const lengths = input.shape.slice(1, -1);
  const totals = size.map((length, i) => {
    const reach = (length - 1) * (dilation[i] as number) + 1;
    if (kind === 'valid') return 0;
    const from = lengths[i];
    if (kind !== 'same') throw unsupported(call.name, `has the padding "${kind}"`);
    if (typeof from !== 'number') throw unsupported(call.name, 'is padded, and its input has no fixed size');
    const stride = strides[i] as number;
    return Math.max((Math.ceil(from / stride) - 1) * stride + reach - from, 0);
  });
  return padsOf(totals);
}

function padsOf(totals: readonly number[]): bigint[] {
  const before = totals.map((total) => Math.floor(total / 2));
  return [...before, ...totals.map((total, i) => total - (before[i] as number))].map(BigInt);
}

function biasOf(graph: OnnxBuilder, layer: GraphLayer): string[] {
  const bias = layer.weights.get('bias');
  return bias === undefined ? [] : [graph.floats('bias', bias.shape, bias.values)];
}

export function weightOf(layer: GraphLayer, name: string): GraphWeight {
  const weight = layer.weights.get(name);
  if (weight === undefined) throw unsupported(layer.name, `has no weight "${name}"`);
  return weight;
}

function sizes(rank: number): number[] {
  return Array.from({ length: rank }, (_, i) => i);
}
