import type { DataSchema, Topology } from '@coppice/protocol';
import { describe, expect, it, onTestFinished } from 'vitest';
import { useBackend } from './backends.ts';
import { createTrainer } from './create-trainer.ts';
import { checkModel } from './describe-model.ts';
import { buildModel } from './model.ts';
import { RandomLayers } from './random-layers.ts';
import * as tf from './tf.ts';
import type { BackendName, Dataset, LocalTraining } from './trainer.ts';

type Config = Record<string, unknown>;
const layer = (class_name: string, config: Config = {}) => ({ class_name, config });
const sequential = (...layers: unknown[]): Topology => ({ class_name: 'Sequential', config: { layers } });

const data: DataSchema = { kind: 'image', width: 8, height: 6, channels: 1, classes: ['a', 'b', 'c'] };
const input = layer('InputLayer', { batch_input_shape: [null, 6, 8] });
const head = [layer('Flatten'), layer('Dense', { units: 3, activation: 'softmax' })];
const around = (...layers: unknown[]) => sequential(input, ...layers, ...head);
/** The same for layers that put out one row for each example. */
const aroundRows = (...layers: unknown[]) => sequential(input, ...layers, ...head.slice(1));
const recurrent = (kind: string, more: Config) => layer(kind, { units: 12, ...more });
const cell = (kind: string) => layer(kind, { units: 12, dropout: 0.3, recurrent_dropout: 0.3 });

/** A nested functional model: 48 numbers, half of them dropped. */
const functional = layer('Model', {
  name: 'inner',
  layers: [
    {
      class_name: 'InputLayer',
      name: 'in',
      config: { name: 'in', batch_input_shape: [null, 6, 8], dtype: 'float32', sparse: false },
      inbound_nodes: [],
    },
    {
      class_name: 'Dropout',
      name: 'drop',
      config: { name: 'drop', rate: 0.5 },
      inbound_nodes: [[['in', 0, 0, {}]]],
    },
  ],
  input_layers: [['in', 0, 0]],
  output_layers: [['drop', 0, 0]],
});

const models: [string, Topology][] = [
  ['Dropout', around(layer('Dropout', { rate: 0.5 }))],
  ['SpatialDropout1D', around(layer('SpatialDropout1D', { rate: 0.5 }))],
  ['GaussianNoise', around(layer('GaussianNoise', { stddev: 0.3 }))],
  ['GaussianDropout', around(layer('GaussianDropout', { rate: 0.3 }))],
  ['AlphaDropout', around(layer('AlphaDropout', { rate: 0.3 }))],
  ...['SimpleRNN', 'GRU', 'LSTM'].flatMap((kind): [string, Topology][] => [
    [`dropout in ${kind}`, aroundRows(recurrent(kind, { dropout: 0.4 }))],
    [`recurrentDropout in ${kind}`, aroundRows(recurrent(kind, { recurrent_dropout: 0.4 }))],
  ]),
  ['an RNN of one cell', aroundRows(layer('RNN', { cell: cell('GRUCell') }))],
  [
    'an RNN of stacked cells',
    aroundRows(
      layer('RNN', { cell: layer('StackedRNNCells', { cells: [cell('LSTMCell'), cell('LSTMCell')] }) }),
    ),
  ],
  [
    'ConvLSTM2D',
    around(
      layer('Reshape', { target_shape: [3, 4, 4, 1] }),
      layer('ConvLSTM2D', { filters: 3, kernel_size: [2, 2], dropout: 0.4, recurrent_dropout: 0.4 }),
    ),
  ],
  ['Bidirectional', aroundRows(layer('Bidirectional', { layer: recurrent('LSTM', { dropout: 0.4 }) }))],
  ['TimeDistributed dropout', around(layer('TimeDistributed', { layer: layer('Dropout', { rate: 0.5 }) }))],
  [
    'TimeDistributed noise',
    around(layer('TimeDistributed', { layer: layer('GaussianNoise', { stddev: 0.3 }) })),
  ],
  [
    'a nested Sequential',
    around(
      layer('Sequential', {
        name: 'inner',
        layers: [layer('Dropout', { rate: 0.5, batch_input_shape: [null, 6, 8] })],
      }),
    ),
  ],
  [
    'two levels of nesting',
    around(
      layer('Sequential', {
        name: 'outer',
        layers: [
          layer('Sequential', {
            name: 'inner',
            layers: [layer('AlphaDropout', { rate: 0.5, batch_input_shape: [null, 6, 8] })],
          }),
        ],
      }),
    ),
  ],
  ['a nested functional model', around(functional)],
];

/** One example, so that the seed has no order of examples to change: only what the layers draw. */
const one: Dataset = {
  count: 1,
  xs: Float32Array.from({ length: 48 }, (_, i) => 0.2 + Math.abs(Math.sin(i * 7.13))),
  ys: Float32Array.of(1),
};
const how: LocalTraining = {
  epochs: 3,
  batchSize: 1,
  optimizer: 'sgd',
  learningRate: 0.1,
  shuffleSeed: 'a',
};

describe.each<BackendName>(['cpu', 'wasm', 'planned'])(
  'layers that draw while they train, on %s',
  (backend) => {
    it.each(models)('%s: the same bits for the same seed, others for another', async (_, topology) => {
      const before = tf.memory().numTensors;
      const train = async (seed: string, changes: Partial<LocalTraining> = {}) => {
        const description = { topology, data, loss: 'categoricalCrossentropy' as const };
        const trainer = await createTrainer(description, { backend, seed: 7 });
        const result = await trainer.train(one, { ...how, shuffleSeed: seed, ...changes });
        // Asked, the layers stand still.
        expect(await trainer.predict(one.xs, 1)).toEqual(await trainer.predict(one.xs, 1));
        trainer.dispose();
        return result;
      };
      const first = await train('a');
      const again = await train('a');
      expect(again.weights).toEqual(first.weights);
      expect(again.loss).toBe(first.loss);
      expect((await train('b')).weights).not.toEqual(first.weights);
      // At a rate this small nothing is learnt: a loss that differs was drawn anew.
      const still = { learningRate: 1e-30 };
      const losses = await Promise.all([1, 2, 3].map((epochs) => train('a', { ...still, epochs })));
      expect(new Set(losses.map(({ loss }) => loss)).size).toBeGreaterThan(1);
      expect(tf.memory().numTensors).toBe(before);
    });

    it.each(models)('%s: a gradient for which nothing is drawn', async (_, topology) => {
      const before = tf.memory().numTensors;
      const description = { topology, data, loss: 'categoricalCrossentropy' as const };
      const trainer = await createTrainer(description, { backend, seed: 7 });
      const from = await trainer.getWeights();
      const gradient = await trainer.gradient(one);
      expect(gradient.some((slope) => slope !== 0)).toBe(true);
      // The derivative of the loss that is measured when the model is asked, along the gradient itself.
      const along = 1e-3 / Math.hypot(...gradient);
      const lossAt = async (step: number) => {
        trainer.setWeights(from.map((w, i) => w + step * (gradient[i] as number)));
        return (await trainer.measure(one)).lossSum;
      };
      const slope = ((await lossAt(along)) - (await lossAt(-along))) / (2 * along);
      const squares = gradient.reduce((sum, g) => sum + g * g, 0);
      expect(Math.abs(slope / squares - 1)).toBeLessThan(0.05);
      // Training draws as before.
      trainer.setWeights(from);
      const { weights } = await trainer.train(one, how);
      trainer.setWeights(from);
      await trainer.gradient(one);
      expect((await trainer.train(one, how)).weights).toEqual(weights);
      trainer.dispose();
      expect(tf.memory().numTensors).toBe(before);
    });

    it('draws again for each batch of another size', async () => {
      const topology = aroundRows(layer('RNN', { cell: cell('GRUCell') }));
      const trainer = await createTrainer(
        { topology, data, loss: 'categoricalCrossentropy' },
        { backend, seed: 7 },
      );
      onTestFinished(() => trainer.dispose());
      const xs = Float32Array.from({ length: 3 * 48 }, (_, i) => Math.sin(i));
      const result = await trainer.train(
        { count: 3, xs, ys: Float32Array.of(0, 1, 2) },
        { ...how, batchSize: 2 },
      );
      expect(result.steps).toBe(6);
      expect(await trainer.predict(xs, 3)).toHaveLength(9);
    });
  },
);

describe('what noise layers draw', () => {
  /** A layer's outputs while it trains, over `count` numbers from a function of their place. */
  async function drawn(noise: unknown, value: (i: number) => number): Promise<Float32Array> {
    await useBackend('cpu');
    const topology = around(noise);
    const { model } = await buildModel({ topology, data, loss: 'categoricalCrossentropy' }, 1);
    const random = new RandomLayers(model);
    random.seed('noise');
    const noisy = model.layers[1] as tf.layers.Layer;
    const outputs = tf.tidy(() => {
      const x = tf.tensor(
        Float32Array.from({ length: COUNT }, (_, i) => value(i)),
        [COUNT / 48, 6, 8],
      );
      return (noisy.call(x, { training: true }) as tf.Tensor).dataSync<'float32'>();
    });
    model.dispose();
    return outputs;
  }
  const COUNT = 48_000;
  const moments = (numbers: Float32Array) => {
    const mean = numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
    return { mean, variance: numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0) / numbers.length };
  };
  // Means of 48,000 numbers of variance about 1 scatter by 0.005, variances by 0.01: five times that.

  it('GaussianNoise adds noise of its deviation', async () => {
    const { mean, variance } = moments(await drawn(layer('GaussianNoise', { stddev: 0.7 }), () => 3));
    expect(Math.abs(mean - 3)).toBeLessThan(0.025);
    expect(Math.abs(variance - 0.49)).toBeLessThan(0.05);
  });

  it('GaussianDropout multiplies by noise of mean 1 and variance p / (1 − p)', async () => {
    const { mean, variance } = moments(await drawn(layer('GaussianDropout', { rate: 0.2 }), () => 2));
    expect(Math.abs(mean / 2 - 1)).toBeLessThan(0.025);
    expect(Math.abs(variance / 4 - 0.25)).toBeLessThan(0.05);
  });

  it('AlphaDropout keeps mean 0 and variance 1, and saturates its share', async () => {
    // Quantiles of a uniform distribution of mean 0 and variance 1: the property holds for any.
    const width = Math.sqrt(12);
    const outputs = await drawn(
      layer('AlphaDropout', { rate: 0.3 }),
      (i) => (((i * 7919) % COUNT) / COUNT - 0.5) * width,
    );
    const { mean, variance } = moments(outputs);
    expect(Math.abs(mean)).toBeLessThan(0.025);
    expect(Math.abs(variance - 1)).toBeLessThan(0.05);
    const counts = new Map<number, number>();
    for (const x of outputs) counts.set(x, (counts.get(x) ?? 0) + 1);
    expect(Math.max(...counts.values()) / COUNT).toBeCloseTo(0.3, 1);
  });
});

it.each(['RandomWidth', 'RandomHeight'])(
  'a model with %s is refused by the name of the layer',
  async (kind) => {
    const vary = layer(kind, { name: 'vary', factor: 0.2, batch_input_shape: [null, 6, 8, 1] });
    for (const layers of [[vary], [layer('Sequential', { name: 'inner', layers: [vary] })]]) {
      await expect(
        checkModel(sequential(...layers, ...head), data, 'categoricalCrossentropy'),
      ).rejects.toMatchObject({
        code: 'model-invalid',
        message: expect.stringMatching(new RegExp(`"vary" is a ${kind}`)),
      });
    }
  },
);
