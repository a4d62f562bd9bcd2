import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeOnnx } from '@coppice/model-files/exports';
import { seededRandom, uniform } from '@coppice/ports';
import type { DataSchema, Topology } from '@coppice/protocol';
import { describeModel, readGraph } from '@coppice/training/describe';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasPython, python } from './python.ts';

/* Models of every layer that has a translation, with random weights: what onnxruntime computes is what tfjs computes. */

type Config = Record<string, unknown>;
type Layer = { readonly class_name: string; readonly config: Config };
const layer = (class_name: string, config: Config = {}): Layer => ({ class_name, config });

const CLASSES = ['a', 'b', 'c', 'd'];
const [WIDTH, HEIGHT, CHANNELS] = [9, 7, 3] as const;
const pictures: DataSchema = {
  kind: 'image',
  width: WIDTH,
  height: HEIGHT,
  channels: CHANNELS,
  classes: CLASSES,
};
const COLUMNS = 12;
const table: DataSchema = {
  kind: 'table',
  features: Array.from({ length: COLUMNS }, (_, i) => ({ name: `c${i}`, mean: 0, scale: 1 })),
  target: { kind: 'class', name: 'kind', classes: CLASSES },
};

interface Case {
  readonly data: DataSchema;
  readonly topology: Topology;
  /** Shape of one example. */
  readonly shape: readonly number[];
  /** Inputs are ids from 0 to this one. */
  readonly ids?: number;
}

const named = (layers: readonly Layer[]) =>
  layers.map((one, i) => ({ ...one, config: { name: `layer_${i}`, ...one.config } }));
/** A head of four classes; `flat`: what comes is a vector already. */
const headAfter = (last: Layer, flat: boolean) => [
  ...(flat || last.class_name.startsWith('Global') ? [] : [layer('Flatten')]),
  layer('Dense', { units: 4, activation: 'softmax' }),
];
const sequential = (layers: readonly Layer[]): Topology => ({
  class_name: 'Sequential',
  config: { name: 'model', layers: named(layers) },
});

/** A chain over pictures. */
function ofPictures(...layers: Layer[]): Case {
  const shape = [HEIGHT, WIDTH, CHANNELS];
  const [first, ...others] = layers as [Layer, ...Layer[]];
  const taken = { ...first, config: { ...first.config, batch_input_shape: [null, ...shape] } };
  return {
    data: pictures,
    topology: sequential([taken, ...others, ...headAfter(layers.at(-1) ?? first, false)]),
    shape,
  };
}

/** A chain over the columns of a row, in a shape of its own. */
function ofRows(shape: readonly number[], ...layers: Layer[]): Case {
  return ofSteps(shape, shape.length === 1, ...layers);
}

/** The same; `flat`: the layers end in a vector. */
function ofSteps(shape: readonly number[], flat: boolean, ...layers: Layer[]): Case {
  const taken = layer('Reshape', { target_shape: shape, batch_input_shape: [null, COLUMNS] });
  return {
    data: table,
    topology: sequential([taken, ...layers, ...headAfter(layers.at(-1) ?? taken, flat)]),
    shape: [COLUMNS],
  };
}

const conv = (config: Config = {}) =>
  layer('Conv2D', { filters: 5, kernel_size: [3, 3], padding: 'same', ...config });

/** A functional model: each layer with the names of those before it. */
function functional(
  data: DataSchema,
  shape: readonly number[],
  layers: readonly (readonly [Layer, ...string[]])[],
): Case {
  const all = [
    {
      class_name: 'InputLayer',
      name: 'in',
      config: { name: 'in', batch_input_shape: [null, ...shape], dtype: 'float32' },
      inbound_nodes: [],
    },
    ...layers.map(([one, ...from]) => ({
      ...one,
      name: one.config['name'],
      // A model has a node of its own before the one of its use here.
      inbound_nodes: [from.map((name) => [name, name === 'base' ? 1 : 0, 0, {}])],
    })),
  ];
  const last = layers.at(-1)?.[0].config['name'];
  return {
    data,
    shape,
    topology: {
      class_name: 'Model',
      config: { name: 'model', layers: all, input_layers: [['in', 0, 0]], output_layers: [[last, 0, 0]] },
    },
  };
}

const activations = [
  'elu',
  'hard_sigmoid',
  'linear',
  'relu',
  'relu6',
  'selu',
  'sigmoid',
  'softplus',
  'softsign',
  'tanh',
  'swish',
  'mish',
];
const recurrent = ['LSTM', 'GRU', 'SimpleRNN'];

const cases: Readonly<Record<string, Case>> = {
  ...Object.fromEntries(
    activations.map((activation) => [
      `activation ${activation}`,
      ofRows([COLUMNS], layer('Dense', { units: 6, activation }), layer('Activation', { activation })),
    ]),
  ),
  'dense without bias, of three dimensions': ofRows([3, 4], layer('Dense', { units: 5, use_bias: false })),
  'softmax inside': ofRows(
    [3, 4],
    layer('Dense', { units: 5, activation: 'softmax' }),
    layer('Softmax', { axis: -1 }),
  ),
  'layers of activations': ofRows(
    [3, 4],
    layer('LeakyReLU', { alpha: 0.2 }),
    layer('Dense', { units: 6 }),
    layer('ELU'),
    layer('PReLU'),
    layer('Dense', { units: 6 }),
    layer('ThresholdedReLU', { theta: 0.1 }),
    layer('ReLU', { max_value: 0.8 }),
  ),
  'what is for training alone': ofRows(
    [3, 4],
    layer('Dropout', { rate: 0.5 }),
    layer('GaussianNoise', { stddev: 1 }),
    layer('GaussianDropout', { rate: 0.5 }),
    layer('AlphaDropout', { rate: 0.5 }),
    layer('SpatialDropout1D', { rate: 0.5 }),
  ),
  'convolution, same, stride 2, even kernel': ofPictures(
    conv({ kernel_size: [4, 2], strides: [2, 2], activation: 'relu' }),
  ),
  'convolution, valid, softmax over channels': ofPictures(
    conv({ padding: 'valid', activation: 'softmax' }),
    conv({ use_bias: false }),
  ),
  'depthwise, multiplier 2': ofPictures(
    layer('DepthwiseConv2D', {
      kernel_size: [3, 2],
      depth_multiplier: 2,
      padding: 'same',
      strides: [2, 2],
      activation: 'relu6',
    }),
  ),
  'separable, multiplier 2': ofPictures(
    layer('SeparableConv2D', {
      filters: 4,
      kernel_size: [3, 3],
      depth_multiplier: 2,
      padding: 'same',
      activation: 'tanh',
    }),
  ),
  'transposed, same': ofPictures(
    layer('Conv2DTranspose', { filters: 3, kernel_size: [3, 3], strides: [2, 2], padding: 'same' }),
  ),
  'transposed, kernel below stride': ofPictures(
    layer('Conv2DTranspose', { filters: 3, kernel_size: [2, 2], strides: [3, 3], padding: 'valid' }),
  ),
  pooling: ofPictures(
    layer('MaxPooling2D', { pool_size: [2, 2], padding: 'same' }),
    conv(),
    layer('AveragePooling2D', { pool_size: [3, 2], strides: [2, 2], padding: 'same' }),
  ),
  'global average': ofPictures(conv(), layer('GlobalAveragePooling2D')),
  'global maximum': ofPictures(conv(), layer('GlobalMaxPooling2D')),
  'normalization of channels': ofPictures(
    conv(),
    layer('BatchNormalization', { epsilon: 0.01 }),
    layer('Activation', { activation: 'relu' }),
    conv(),
  ),
  'normalization of columns, no scale': ofRows([COLUMNS], layer('BatchNormalization', { scale: false })),
  'normalization of layers': ofRows([3, 4], layer('LayerNormalization', { axis: -1 })),
  'padding, cropping, enlarging': ofPictures(
    layer('ZeroPadding2D', {
      padding: [
        [1, 2],
        [0, 3],
      ],
    }),
    conv({ padding: 'valid' }),
    layer('Cropping2D', {
      cropping: [
        [1, 0],
        [2, 1],
      ],
    }),
    layer('UpSampling2D', { size: [2, 3] }),
  ),
  'enlarging, bilinear': ofPictures(layer('UpSampling2D', { size: [2, 2], interpolation: 'bilinear' })),
  'reshape after convolution': ofPictures(
    conv(),
    layer('Reshape', { target_shape: [HEIGHT, WIDTH * 5] }),
    layer('Permute', { dims: [2, 1] }),
  ),
  rescaling: ofPictures(layer('Rescaling', { scale: 2, offset: -1 }), conv()),
  'convolution over steps, valid': ofRows(
    [6, 2],
    layer('Conv1D', { filters: 3, kernel_size: [2] }),
    layer('MaxPooling1D', { pool_size: [2] }),
  ),
  'convolution over steps, same': ofRows(
    [6, 2],
    layer('Conv1D', { filters: 3, kernel_size: [3], padding: 'same', strides: [2] }),
    layer('AveragePooling1D', { pool_size: [2], padding: 'same' }),
    layer('GlobalMaxPooling1D'),
  ),
  repeated: ofSteps([COLUMNS], false, layer('Dense', { units: 3 }), layer('RepeatVector', { n: 4 })),
  ...Object.fromEntries(
    recurrent.flatMap((kind) => [
      [
        `${kind}, last step`,
        ofSteps(
          [4, 3],
          true,
          layer(kind, { units: 5, return_sequences: true }),
          layer(kind, { units: 3, go_backwards: true }),
        ),
      ],
      [
        `${kind}, all steps, backwards, sigmoid`,
        ofRows(
          [4, 3],
          layer(kind, {
            units: 5,
            return_sequences: true,
            go_backwards: true,
            recurrent_activation: 'sigmoid',
            activation: 'relu',
            use_bias: false,
          }),
        ),
      ],
    ]),
  ),
  ...Object.fromEntries(
    ['concat', 'sum', 'mul', 'ave'].map((merge_mode) => [
      `both directions, ${merge_mode}`,
      ofSteps(
        [4, 3],
        true,
        layer('Bidirectional', {
          merge_mode,
          layer: layer('LSTM', { name: 'lstm', units: 5, return_sequences: true }),
        }),
        layer('Bidirectional', { merge_mode, layer: layer('GRU', { name: 'gru', units: 2 }) }),
      ),
    ]),
  ),
  'each step': ofRows(
    [4, 3],
    layer('TimeDistributed', { layer: layer('Dense', { name: 'inner', units: 5, activation: 'relu' }) }),
  ),
  embedding: {
    data: table,
    shape: [COLUMNS],
    ids: 9,
    topology: sequential([
      layer('Embedding', {
        input_dim: 10,
        output_dim: 3,
        input_length: COLUMNS,
        batch_input_shape: [null, COLUMNS],
      }),
      layer('LSTM', { units: 4 }),
      layer('Dense', { units: 4, activation: 'softmax' }),
    ]),
  },
  branches: functional(
    pictures,
    [HEIGHT, WIDTH, CHANNELS],
    [
      [conv({ name: 'left', activation: 'relu' }), 'in'],
      [conv({ name: 'right', kernel_size: [1, 1] }), 'in'],
      [layer('Add', { name: 'sum' }), 'left', 'right'],
      [layer('Multiply', { name: 'product' }), 'sum', 'left'],
      [layer('Average', { name: 'mean' }), 'product', 'right', 'left'],
      [layer('Maximum', { name: 'most' }), 'mean', 'left'],
      [layer('Minimum', { name: 'least' }), 'most', 'sum'],
      [layer('Concatenate', { name: 'both', axis: -1 }), 'least', 'left'],
      [layer('Flatten', { name: 'flat' }), 'both'],
      [layer('Dense', { name: 'head', units: 4, activation: 'softmax' }), 'flat'],
    ],
  ),
  'one layer in two places': functional(
    table,
    [COLUMNS],
    [
      [layer('Dense', { name: 'same', units: COLUMNS, activation: 'tanh' }), 'in'],
      [layer('Concatenate', { name: 'both' }), 'same', 'in'],
      [layer('Dense', { name: 'head', units: 4, activation: 'softmax' }), 'both'],
    ],
  ),
  'models in models': (() => {
    const inner = functional(
      pictures,
      [HEIGHT, WIDTH, CHANNELS],
      [
        [conv({ name: 'inside' }), 'in'],
        [layer('BatchNormalization', { name: 'even' }), 'inside'],
        [layer('Add', { name: 'sum' }), 'even', 'inside'],
      ],
    ).topology;
    const base = { ...inner, config: { ...(inner.config as Config), name: 'base' } } as unknown as Layer;
    return functional(
      pictures,
      [HEIGHT, WIDTH, CHANNELS],
      [
        [base, 'in'],
        [layer('Flatten', { name: 'flat' }), 'base'],
        [layer('Dense', { name: 'head', units: 4, activation: 'softmax' }), 'flat'],
      ],
    );
  })(),
};

const EXAMPLES = 3;

/** Writes a model with random weights, inputs and what tfjs answers, into a folder. */
async function write(
  folder: string,
  name: string,
  { data, topology, shape, ids }: Case,
  file: string,
): Promise<void> {
  const random = seededRandom(name);
  const description = { topology, data, loss: 'categoricalCrossentropy' as const };
  const { layout } = await describeModel(description, 1);
  const specs = layout.map(({ name: weight, shape: sizes }) => ({
    name: weight,
    shape: sizes,
    dtype: 'float32' as const,
  }));
  const sizes = layout.map((one) => one.shape.reduce((size, length) => size * length, 1));
  const weights = Float32Array.from(
    { length: sizes.reduce((sum, size) => sum + size, 0) },
    () => uniform(random) - 0.5,
  );
  let at = 0;
  for (const [i, { name: weight }] of layout.entries()) {
    const size = sizes[i] as number;
    // Variances are positive.
    if (/variance/.test(weight))
      weights.subarray(at, at + size).forEach((value, j, all) => {
        all[j] = Math.abs(value) + 0.2;
      });
    at += size;
  }
  const model = await tf.loadLayersModel(
    tf.io.fromMemory({ modelTopology: topology, weightSpecs: specs, weightData: weights.buffer }),
  );
  const inputs = Float32Array.from(
    { length: EXAMPLES * shape.reduce((size, length) => size * length, 1) },
    () => (ids === undefined ? 2 * uniform(random) - 1 : Math.floor(uniform(random) * (ids + 1))),
  );
  const outputs = tf.tidy(() =>
    (model.predict(tf.tensor(inputs, [EXAMPLES, ...shape])) as tf.Tensor).dataSync(),
  );
  model.dispose();
  const onnx = writeOnnx(await readGraph(description, weights), {
    name: 'model',
    description: '',
    metadata: { name },
  });
  writeFileSync(join(folder, `${file}.onnx`), onnx);
  writeFileSync(
    join(folder, `${file}.json`),
    JSON.stringify({ name, shape, inputs: [...inputs], outputs: [...outputs] }),
  );
}

const READ = `
import glob, json, numpy, onnx, onnxruntime
answers = {}
for path in glob.glob('*.onnx'):
    case = json.load(open(path[:-5] + '.json'))
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(path)
    inputs = numpy.array(case['inputs'], numpy.float32).reshape([-1] + case['shape'])
    outputs, = session.run(['output'], {'input': inputs})
    wanted = numpy.array(case['outputs'], numpy.float32).reshape(outputs.shape)
    facts = session.get_modelmeta().custom_metadata_map
    answers[case['name']] = [float(numpy.abs(outputs - wanted).max()), facts['name'], model.opset_import[0].version]
print(json.dumps(answers))
`;

describe.skipIf(!hasPython && process.env.CI !== 'true')('ONNX', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'coppice-onnx-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('is computed by onnxruntime as the model by tfjs, to 1e-5, and passes its checker', async () => {
    await tf.setBackend('cpu');
    for (const [i, [name, one]] of Object.entries(cases).entries())
      await write(folder, name, one, String(i)).catch((thrown: unknown) => {
        throw new Error(`${name}: ${thrown}`);
      });
    const answers: Record<string, [number, string, number]> = JSON.parse(await python(READ, { folder }));
    expect(Object.keys(answers).sort()).toEqual(Object.keys(cases).sort());
    const far = Object.entries(answers).filter(([, [error]]) => !(error <= 1e-5));
    expect(far).toEqual([]);
    for (const [name, [, fact, opset]] of Object.entries(answers)) expect([fact, opset]).toEqual([name, 17]);
  });
});
