import { axisOf, channelsLast, numberOf, numbersOf, textOf } from './config.ts';
import type { GraphLayer, GraphTensor, LayerCall } from './graph.ts';
import { activate, activationOf, needsLast } from './onnx-activations.ts';
import type { OnnxBuilder, Value } from './onnx-builder.ts';
import { convolution, depthwise, pooling, separable, transposed, weightOf } from './onnx-convolutions.ts';
import { isRecurrent, recurrent, reversed } from './onnx-recurrent.ts';
import { unsupported } from './unsupported.ts';

/** The name of a result, and the order of its channels; left out: last. */
interface Result {
  readonly name: string;
  readonly channels?: Value['channels'];
}

type Translator = (graph: OnnxBuilder, call: LayerCall, input: Value, inputs: readonly Value[]) => Result;

/** Layers that change nothing once a model is trained. */
const identity: Translator = (_graph, _call, { name, channels }) => ({ name, channels });

/** Layers of one input whose operator looks at each number alone. */
function each(add: (graph: OnnxBuilder, call: LayerCall, x: string) => string): Translator {
  return (graph, call, { name, channels }) => ({ name: add(graph, call, name), channels });
}

/** Convolutions, and the activation that follows in the same layer. */
function convolving(add: (graph: OnnxBuilder, call: LayerCall, input: Value) => string): Translator {
  return (graph, call, input) => {
    const value: Value = { name: add(graph, call, input), shape: call.output.shape, channels: 'first' };
    const activation = activationOf(call);
    const ready = needsLast(activation) ? graph.last(value) : value;
    return { name: activate(graph, call, activation, ready.name), channels: ready.channels };
  };
}

function pooled(op: 'MaxPool' | 'AveragePool'): Translator {
  return (graph, call, input) => ({ name: pooling(graph, call, input, op), channels: 'first' });
}

/** The mean or the largest over all places, of each channel. */
function globally(op: 'ReduceMean' | 'ReduceMax'): Translator {
  return (graph, call, input) => {
    channelsLast(call);
    const axes = input.shape.slice(1, -1).map((_, i) => BigInt(i + 1));
    return { name: graph.node(op, [graph.last(input).name], { axes, keepdims: 0n }) };
  };
}

/** Layers of several inputs of one shape, or with sizes of 1, whose operator looks at each number alone. */
function merged(op: string, takes: 'two' | 'all'): Translator {
  return (graph, call, _input, inputs) => {
    const ranks = new Set(inputs.map(({ shape }) => shape.length));
    if (ranks.size > 1) throw unsupported(call.name, 'merges tensors of different numbers of dimensions');
    const allFirst = inputs.every(({ channels }) => channels === 'first');
    const ready = inputs.map((input) => (allFirst ? input : graph.last(input)).name);
    const name =
      takes === 'all'
        ? graph.node(op, ready)
        : ready.slice(1).reduce((sum, next) => graph.node(op, [sum, next]), ready[0] as string);
    return { name, channels: allFirst ? 'first' : 'last' };
  };
}

const dense: Translator = (graph, call, input) => {
  const kernel = weightOf(call, 'kernel');
  const product = graph.node('MatMul', [
    graph.last(input).name,
    graph.floats('kernel', kernel.shape, kernel.values),
  ]);
  const bias = call.weights.get('bias');
  const sum =
    bias === undefined
      ? product
      : graph.node('Add', [product, graph.floats('bias', bias.shape, bias.values)]);
  return { name: activate(graph, call, activationOf(call), sum) };
};

const normalization: Translator = (graph, call, input) => {
  const rank = input.shape.length;
  if (axisOf(call, 'axis', rank) !== rank - 1)
    throw unsupported(call.name, 'normalizes another dimension than the last');
  const mean = weightOf(call, 'moving_mean');
  const size = mean.values.length;
  const constant = (name: string, missing: number) =>
    graph.floats(name, [size], call.weights.get(name)?.values ?? new Float32Array(size).fill(missing));
  const inputs = [
    graph.first(input).name,
    constant('gamma', 1),
    constant('beta', 0),
    constant('moving_mean', 0),
    constant('moving_variance', 1),
  ];
  return {
    name: graph.node('BatchNormalization', inputs, { epsilon: numberOf(call, 'epsilon', 1e-3) }),
    channels: rank < 3 ? 'last' : 'first',
  };
};

const layerNormalization: Translator = (graph, call, input) => {
  const rank = input.shape.length;
  if (axisOf(call, 'axis', rank) !== rank - 1)
    throw unsupported(call.name, 'normalizes another dimension than the last');
  const size = input.shape[rank - 1] as number;
  const gamma = call.weights.get('gamma')?.values ?? new Float32Array(size).fill(1);
  const inputs = [graph.last(input).name, graph.floats('gamma', [size], gamma)];
  const beta = call.weights.get('beta');
  if (beta !== undefined) inputs.push(graph.floats('beta', [size], beta.values));
  return {
    name: graph.node('LayerNormalization', inputs, { axis: -1n, epsilon: numberOf(call, 'epsilon', 1e-3) }),
  };
};

const embedding: Translator = (graph, call, input) => {
  if (call.config['maskZero'] === true)
    throw unsupported(call.name, 'masks zeros, so that later layers leave steps out');
  const table = weightOf(call, 'embeddings');
  const INT64 = 7n;
  const ids = graph.node('Cast', [input.name], { to: INT64 });
  return { name: graph.node('Gather', [graph.floats('embeddings', table.shape, table.values), ids]) };
};

const reshape: Translator = (graph, call, input) => {
  // A size of 0 stands for the batch.
  const target = graph.integers('shape', [0, ...fixed(call, call.output)]);
  return { name: graph.node('Reshape', [graph.last(input).name, target]) };
};

const upsampling: Translator = (graph, call, input) => {
  channelsLast(call);
  const scales = graph.floats('scales', [4], Float32Array.of(1, 1, ...numbersOf(call, 'size', 2, 2)));
  const mode = textOf(call, 'interpolation', 'nearest') === 'nearest' ? 'nearest' : 'linear';
  return {
    name: graph.node('Resize', [graph.first(input).name, '', scales], {
      mode,
      coordinate_transformation_mode: 'asymmetric',
      nearest_mode: 'floor',
    }),
    channels: 'first',
  };
};

/** Sizes of a border: [top, bottom, left, right]. */
function bordersOf(call: LayerCall, key: string): [number, number, number, number] {
  channelsLast(call);
  const value = call.config[key] ?? 1;
  const [rows, columns] = Array.isArray(value) ? (value as unknown[]) : [value, value];
  const pair = (one: unknown) => (Array.isArray(one) ? (one as number[]) : [one as number, one as number]);
  return [...pair(rows), ...pair(columns)] as [number, number, number, number];
}

const zeroPadding: Translator = (graph, call, input) => {
  const [top, bottom, left, right] = bordersOf(call, 'padding');
  const pads = graph.integers('pads', [0, 0, top, left, 0, 0, bottom, right]);
  return { name: graph.node('Pad', [graph.first(input).name, pads]), channels: 'first' };
};

const cropping: Translator = (graph, call, input) => {
  const [top, bottom, left, right] = bordersOf(call, 'cropping');
  const [height = 0, width = 0] = fixed(call, input);
  const name = graph.node('Slice', [
    graph.first(input).name,
    graph.integers('starts', [top, left]),
    graph.integers('ends', [height - bottom, width - right]),
    graph.integers('axes', [2, 3]),
  ]);
  return { name, channels: 'first' };
};

const bidirectional: Translator = (graph, call, input) => {
  const [forward, backward] = call.inner;
  if (forward === undefined || backward === undefined || !isRecurrent(forward.kind))
    throw unsupported(call.name, `reads the kind ${forward?.kind ?? 'none'} in both directions`);
  const there = recurrent(graph, forward, input);
  const back = recurrent(graph, backward, input);
  const sequences = forward.config['returnSequences'] === true;
  const both = [there, sequences ? reversed(graph, back, 1) : back];
  switch (call.config['mergeMode'] ?? 'concat') {
    case 'concat':
      return { name: graph.node('Concat', both, { axis: -1n }) };
    case 'sum':
      return { name: graph.node('Add', both) };
    case 'mul':
      return { name: graph.node('Mul', both) };
    case 'ave':
      return { name: graph.node('Mean', both) };
    default:
      throw unsupported(call.name, 'gives its two directions apart');
  }
};

const timeDistributed: Translator = (graph, call, input, inputs) => {
  const [inner] = call.inner;
  if (inner?.kind !== 'Dense')
    throw unsupported(call.name, `applies a layer of the kind ${inner?.kind ?? 'none'} to each step`);
  return dense(graph, { ...call, ...inner }, input, inputs);
};

const relu: Translator = each((graph, call, x) => {
  const most = call.config['maxValue'];
  if (typeof most !== 'number') return graph.node('Relu', [x]);
  return graph.node('Clip', [x, graph.scalar('least', 0), graph.scalar('most', most)]);
});

const prelu: Translator = (graph, call, input) => {
  const alpha = weightOf(call, 'alpha');
  return {
    name: graph.node('PRelu', [graph.last(input).name, graph.floats('alpha', alpha.shape, alpha.values)]),
  };
};

/** Translators by the class of a layer in tfjs. */
const translators: Readonly<Record<string, Translator>> = {
  Activation: (graph, call, input) => {
    const activation = activationOf(call);
    const ready = needsLast(activation) ? graph.last(input) : input;
    return { name: activate(graph, call, activation, ready.name), channels: ready.channels };
  },
  ActivityRegularization: identity,
  Add: merged('Add', 'two'),
  AlphaDropout: identity,
  Average: merged('Mean', 'all'),
  AveragePooling1D: pooled('AveragePool'),
  AveragePooling2D: pooled('AveragePool'),
  AveragePooling3D: pooled('AveragePool'),
  BatchNormalization: normalization,
  Bidirectional: bidirectional,
  Concatenate: (graph, call, input, inputs) => {
    const axis = axisOf(call, 'axis', input.shape.length);
    const name = graph.node(
      'Concat',
      inputs.map((one) => graph.last(one).name),
      { axis: BigInt(axis) },
    );
    return { name };
  },
  Conv1D: convolving(convolution),
  Conv2D: convolving(convolution),
  Conv2DTranspose: convolving(transposed),
  Conv3D: convolving(convolution),
  Conv3DTranspose: convolving(transposed),
  Cropping2D: cropping,
  Dense: dense,
  DepthwiseConv2D: convolving(depthwise),
  Dropout: identity,
  ELU: each((graph, call, x) => graph.node('Elu', [x], { alpha: numberOf(call, 'alpha', 1) })),
  Embedding: embedding,
  Flatten: reshape,
  GRU: (graph, call, input) => ({ name: recurrent(graph, call, input) }),
  GaussianDropout: identity,
  GaussianNoise: identity,
  GlobalAveragePooling1D: globally('ReduceMean'),
  GlobalAveragePooling2D: globally('ReduceMean'),
  GlobalMaxPooling1D: globally('ReduceMax'),
  GlobalMaxPooling2D: globally('ReduceMax'),
  LSTM: (graph, call, input) => ({ name: recurrent(graph, call, input) }),
  LayerNormalization: layerNormalization,
  LeakyReLU: each((graph, call, x) => graph.node('LeakyRelu', [x], { alpha: numberOf(call, 'alpha', 0.3) })),
  MaxPooling1D: pooled('MaxPool'),
  MaxPooling2D: pooled('MaxPool'),
  MaxPooling3D: pooled('MaxPool'),
  Maximum: merged('Max', 'all'),
  Minimum: merged('Min', 'all'),
  Multiply: merged('Mul', 'two'),
  PReLU: prelu,
  Permute: (graph, call, input) => {
    const dims = call.config['dims'] as readonly number[];
    return { name: graph.node('Transpose', [graph.last(input).name], { perm: [0, ...dims].map(BigInt) }) };
  },
  ReLU: relu,
  RepeatVector: (graph, call, input) => {
    const long = graph.node('Unsqueeze', [input.name, graph.integers('axes', [1])]);
    return { name: graph.node('Tile', [long, graph.integers('repeats', [1, numberOf(call, 'n', 1), 1])]) };
  },
  Rescaling: each((graph, call, x) => {
    const scaled = graph.node('Mul', [x, graph.scalar('scale', numberOf(call, 'scale', 1))]);
    return graph.node('Add', [scaled, graph.scalar('offset', numberOf(call, 'offset', 0))]);
  }),
  Reshape: reshape,
  SeparableConv2D: convolving(separable),
  SimpleRNN: (graph, call, input) => ({ name: recurrent(graph, call, input) }),
  Softmax: (graph, call, input) => {
    const axis = axisOf(call, 'axis', input.shape.length);
    return { name: graph.node('Softmax', [graph.last(input).name], { axis: BigInt(axis) }) };
  },
  SpatialDropout1D: identity,
  ThresholdedReLU: each((graph, call, x) =>
    graph.node('ThresholdedRelu', [x], { alpha: numberOf(call, 'theta', 1) }),
  ),
  TimeDistributed: timeDistributed,
  UpSampling2D: upsampling,
  ZeroPadding2D: zeroPadding,
};

/** Adds one call of a layer. @throws CoppiceError `export-unsupported`, naming the layer and the reason. */
export function translate(graph: OnnxBuilder, call: LayerCall, inputs: readonly Value[]): Value {
  const translator = Object.hasOwn(translators, call.kind) ? translators[call.kind] : undefined;
  if (translator === undefined)
    throw unsupported(call.name, `is of the kind ${call.kind}, which has no translation`);
  graph.layer = call.name;
  const { name, channels = 'last' } = translator(graph, call, inputs[0] as Value, inputs);
  return { name, shape: call.output.shape, channels };
}

/** The sizes of a tensor without the batch. */
function fixed(layer: GraphLayer, { shape }: Pick<GraphTensor, 'shape'>): number[] {
  const sizes = shape.slice(1);
  if (sizes.every((size) => size !== null)) return sizes;
  throw unsupported(layer.name, 'has a tensor without a fixed size');
}
