import type { DataSchema, Loss } from '@coppice/protocol';
import { describe, expect, it } from 'vitest';
import { checkModel } from './describe-model.ts';
import * as tf from './tf.ts';

const digits: DataSchema = {
  kind: 'image',
  width: 28,
  height: 28,
  channels: 1,
  classes: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
};
const flowers: DataSchema = {
  kind: 'table',
  features: ['a', 'b', 'c', 'd'].map((name) => ({ name, mean: 0, scale: 1 })),
  target: { kind: 'class', name: 'kind', classes: ['x', 'y', 'z'] },
};
const price: DataSchema = { ...flowers, target: { kind: 'number', name: 'price' } };

type Config = Record<string, unknown>;
const dense = (units: number, activation: string, config: Config = {}) => ({
  class_name: 'Dense',
  config: { units, activation, ...config },
});
const shaped = (...shape: (number | null)[]) => ({ batch_input_shape: [null, ...shape] });
const sequential = (...layers: unknown[]) => ({ class_name: 'Sequential', config: { layers } });
const good = sequential(dense(10, 'softmax', shaped(784)));

async function refusal(model: unknown, data: DataSchema, loss: Loss = 'categoricalCrossentropy') {
  const before = tf.memory().numTensors;
  const thrown = await checkModel(model, data, loss).catch((error: unknown) => error);
  expect(thrown).toMatchObject({ name: 'CoppiceError', code: 'model-invalid' });
  expect(tf.memory().numTensors).toBe(before);
  return (thrown as Error).message;
}

describe('a model that someone brought', () => {
  it('is taken as model.json, as Keras writes it, or as a topology', async () => {
    for (const model of [
      good,
      { modelTopology: good, format: 'layers-model', weightsManifest: [{ paths: ['x'], weights: [] }] },
      { modelTopology: { model_config: good, keras_version: '2.15.0', training_config: {} } },
      sequential(dense(10, 'softmax', shaped(784))),
    ]) {
      const { topology, layout } = await checkModel(model, digits, 'categoricalCrossentropy');
      expect(topology).toEqual({
        class_name: 'Sequential',
        config: {
          name: 'sequential',
          layers: [dense(10, 'softmax', { ...shaped(784), name: 'dense_1' })],
        },
      });
      expect(layout.map(({ shape }) => shape)).toEqual([[784, 10], [10]]);
    }
  });

  it('is taken as tfjs saves it, sequential or functional, in each fitting input shape', async () => {
    for (const inputShape of [[784], [28, 28], [28, 28, 1]]) {
      const input = tf.input({ shape: inputShape });
      const flat = tf.layers.reshape({ targetShape: [784] }).apply(input) as tf.SymbolicTensor;
      const scores = tf.layers.dense({ units: 10, name: 'scores' }).apply(flat) as tf.SymbolicTensor;
      const output = tf.layers.softmax().apply(scores) as tf.SymbolicTensor;
      const model = tf.model({ inputs: input, outputs: output });
      const { layout } = await checkModel(model.toJSON(null, false), digits, 'categoricalCrossentropy');
      expect(layout).toEqual([
        { name: 'scores/kernel', shape: [784, 10], trainable: true },
        { name: 'scores/bias', shape: [10], trainable: true },
      ]);
      model.dispose();
    }
  });

  it('takes a number for each category and one for any other', async () => {
    const colours: DataSchema = {
      ...price,
      features: [
        { kind: 'category', name: 'colour', values: ['red', 'blue'] },
        { name: 'length', mean: 0, scale: 1 },
      ],
    };
    const model = (inputs: number) => sequential(dense(1, 'linear', shaped(inputs)));
    const { layout } = await checkModel(model(4), colours, 'meanSquaredError');
    expect(layout.map(({ shape }) => shape)).toEqual([[4, 1], [1]]);
    const message = await refusal(model(2), colours, 'meanSquaredError');
    expect(message).toContain('2 columns, where one of categories is a number for each value');
    expect(message).toContain('needs [null, 4]');
  });

  it('names its weights the same, however often it was built', async () => {
    const unnamed = sequential(dense(3, 'relu', shaped(4)), dense(3, 'softmax'));
    const first = await checkModel(unnamed, flowers, 'categoricalCrossentropy');
    const second = await checkModel(unnamed, flowers, 'categoricalCrossentropy');
    expect(second.layout).toEqual(first.layout);
    expect(first.layout.map(({ name }) => name)).toEqual([
      'dense_1/kernel',
      'dense_1/bias',
      'dense_2/kernel',
      'dense_2/bias',
    ]);
  });

  it.each([
    ['no JSON object', 'text', /not a JSON object/],
    ['a file cut short', { modelTopology: null }, /cut short/],
    ['some other JSON', { hello: 'world' }, /not a tfjs layers model/],
    ['a graph model', { format: 'graph-model', modelTopology: { node: [], versions: {} } }, /graph model/],
    ['a bare graph', { node: [], versions: {} }, /graph model/],
    ['a layer alone', dense(10, 'softmax'), /outermost part is a "Dense"/],
    [
      'an unknown layer',
      sequential({ class_name: 'Sparkle', config: shaped(784) }),
      /layer Sparkle is of a kind that tfjs doesn't know/,
    ],
    ['no input shape', sequential(dense(10, 'softmax')), /no input shape/],
    ['no layers', sequential(), /no input shape/],
    [
      'two layers of one name',
      sequential(dense(10, 'relu', { ...shaped(784), name: 'twin' }), dense(10, 'softmax', { name: 'twin' })),
      /twin/,
    ],
    [
      'a number written as text in its shape',
      sequential(
        { class_name: 'Flatten', config: { batch_input_shape: [null, '28', 28, 1] } },
        dense(10, 'softmax'),
      ),
      /\[null, "28", 28, 1\].*fixed numbers/,
    ],
    [
      'another input shape',
      sequential(dense(10, 'softmax', shaped(783))),
      /\[null, 783\].*28×28.*\[null, 784\]/,
    ],
    [
      'a fixed batch',
      sequential(dense(10, 'softmax', { batch_input_shape: [32, 784] })),
      /\[32, 784\].*must be null/,
    ],
    [
      'too few outputs',
      sequential(dense(9, 'softmax', shaped(784))),
      /\[null, 9\].*10 classes.*\[null, 10\]/,
    ],
    ['an output per row', sequential(dense(10, 'softmax', shaped(28, 28))), /\[null, 28, 10\]/],
    ['no softmax', sequential(dense(10, 'sigmoid', shaped(784))), /softmax/],
    [
      'no trainable weights',
      sequential(dense(10, 'softmax', { ...shaped(784), trainable: false })),
      /no trainable weights/,
    ],
  ])('is refused: %s', async (_, model, message) => {
    expect(await refusal(model, digits)).toMatch(message);
  });

  const pixels = shaped(28, 28, 1);
  const named = (class_name: string, config: Config) => ({
    class_name,
    config: { name: 'culprit', ...config },
  });
  const scores = [{ class_name: 'Flatten', config: {} }, dense(10, 'softmax')];
  const conv = { class_name: 'Conv2D', config: { filters: 2, kernel_size: [3, 3], ...pixels } };
  const dilated = { kernel_size: [3, 3], dilation_rate: [2, 2], ...pixels };
  it.each([
    ['dilated convolution', [named('Conv2D', { filters: 2, ...dilated })], /dilation/],
    ['dilated separable convolution', [named('SeparableConv2D', { filters: 2, ...dilated })], /dilation/],
    ['dilated depthwise convolution', [named('DepthwiseConv2D', dilated)], /dilat/],
    ['crop behind weights', [conv, named('CenterCrop', { height: 4, width: 4 })], /CropAndResize/],
    ['threshold', [conv, named('ThresholdedReLU', { theta: 1 })], /Greater/],
  ])('is refused with a layer that tfjs cannot train, by its name: %s', async (_, layers, why) => {
    const message = await refusal(sequential(...layers, ...scores), digits);
    expect(message).toMatch(/its layer "culprit"/);
    expect(message).toMatch(why);
  });

  it('is refused with several inputs or outputs', async () => {
    const inputs = [tf.input({ shape: [784] }), tf.input({ shape: [784] })];
    const sum = tf.layers.add().apply(inputs) as tf.SymbolicTensor;
    const heads = [0, 1].map(
      () => tf.layers.dense({ units: 10, activation: 'softmax' }).apply(sum) as tf.SymbolicTensor,
    );
    const twoIn = tf.model({ inputs, outputs: heads[0] as tf.SymbolicTensor });
    expect(await refusal(twoIn.toJSON(null, false), digits)).toMatch(/takes 2 inputs/);
    const one = tf.input({ shape: [784] });
    const outputs = [0, 1].map(
      () => tf.layers.dense({ units: 10, activation: 'softmax' }).apply(one) as tf.SymbolicTensor,
    );
    const twoOut = tf.model({ inputs: one, outputs });
    expect(await refusal(twoOut.toJSON(null, false), digits)).toMatch(/has 2 outputs/);
    twoIn.dispose();
    twoOut.dispose();
  });

  it('is refused with a loss that does not fit the data', async () => {
    const classes = sequential(dense(3, 'softmax', shaped(4)));
    const number = sequential(dense(1, 'linear', shaped(4)));
    expect(await refusal(classes, flowers, 'meanSquaredError')).toMatch(/categoricalCrossentropy/);
    expect(await refusal(number, price, 'categoricalCrossentropy')).toMatch(/meanSquaredError/);
    const { layout } = await checkModel(number, price, 'meanSquaredError');
    expect(layout).toHaveLength(2);
  });
});
