import type { Loss, Topology } from '@coppice/protocol';
import { describe, expect, it, onTestFinished } from 'vitest';
import { epochOrder } from './batches.ts';
import { trainerContract } from './contract.ts';
import { createTrainer } from './create-trainer.ts';
import { describeModel } from './describe-model.ts';
import * as tf from './tf.ts';
import type { BackendName, Dataset, LocalTraining, ModelDescription } from './trainer.ts';

const backends = ['cpu', 'wasm'] as const;
for (const backend of backends) {
  trainerContract(backend, (description, seed) => createTrainer(description, { backend, seed }));
}

type Config = Record<string, unknown>;
const layer = (class_name: string, config: Config = {}) => ({ class_name, config });
const sequential = (...layers: unknown[]): Topology => ({ class_name: 'Sequential', config: { layers } });

const pictures = {
  kind: 'image' as const,
  width: 8,
  height: 6,
  channels: 1 as const,
  classes: ['a', 'b', 'c', 'd'],
};

function describePictures(...layers: unknown[]): ModelDescription {
  return { topology: sequential(...layers), data: pictures, loss: 'categoricalCrossentropy' as Loss };
}

const convolutional = describePictures(
  layer('Conv2D', {
    filters: 3,
    kernel_size: [3, 3],
    padding: 'same',
    activation: 'relu',
    batch_input_shape: [null, 6, 8, 1],
  }),
  layer('MaxPooling2D', { pool_size: [2, 2] }),
  layer('Conv2D', { filters: 4, kernel_size: [2, 3], padding: 'valid', strides: [1, 2], activation: 'relu' }),
  layer('Flatten'),
  layer('Dense', { units: 4, activation: 'softmax' }),
);

const regularised = describePictures(
  layer('Reshape', { target_shape: [48], batch_input_shape: [null, 6, 8] }),
  layer('Dense', {
    units: 5,
    activation: 'tanh',
    kernel_regularizer: { class_name: 'L1L2', config: { l1: 0, l2: 0.1 } },
  }),
  layer('BatchNormalization'),
  layer('Dense', { units: 4 }),
  layer('Activation', { activation: 'softmax' }),
);

const withDropout = describePictures(
  layer('Flatten', { batch_input_shape: [null, 6, 8, 1] }),
  layer('Dense', { units: 16, activation: 'relu' }),
  layer('Dropout', { rate: 0.5 }),
  layer('Dense', { units: 4, activation: 'softmax' }),
);

const depthwise = describePictures(
  layer('DepthwiseConv2D', {
    kernel_size: [3, 3],
    depth_multiplier: 2,
    padding: 'same',
    activation: 'relu',
    batch_input_shape: [null, 6, 8, 1],
  }),
  layer('SeparableConv2D', {
    filters: 3,
    kernel_size: [3, 2],
    strides: [2, 2],
    padding: 'valid',
    activation: 'relu',
  }),
  layer('Flatten'),
  layer('Dense', { units: 4, activation: 'softmax' }),
);

/** Pixels as words of a vocabulary of two: what `data` holds, cut to whole numbers by tfjs. */
const embedded = describePictures(
  layer('Embedding', { input_dim: 2, output_dim: 3, batch_input_shape: [null, 48] }),
  layer('Flatten'),
  layer('Dense', { units: 4, activation: 'softmax' }),
);

const data: Dataset = {
  count: 21,
  xs: Float32Array.from({ length: 21 * 48 }, (_, i) => Math.abs(Math.sin(i * 7.13 + (i % 48) * (i % 4)))),
  ys: Float32Array.from({ length: 21 }, (_, i) => i % 4),
};

const how: LocalTraining = {
  epochs: 2,
  batchSize: 5,
  optimizer: 'sgd',
  learningRate: 0.05,
  shuffleSeed: 's',
};

async function make(description: ModelDescription, backend: BackendName) {
  const trainer = await createTrainer(description, { backend, seed: 3 });
  onTestFinished(() => trainer.dispose());
  return trainer;
}

/** What tfjs itself makes of the same weights and batches, by `trainOnBatch`. */
async function tfjsOracle(description: ModelDescription, weights: Float32Array) {
  const model = await tf.models.modelFromJSON({ modelTopology: description.topology as never });
  const optimizer = tf.train.sgd(how.learningRate);
  model.compile({ optimizer, loss: 'categoricalCrossentropy' });
  let at = 0;
  for (const weight of model.weights) {
    const size = weight.shape.reduce<number>((product, d) => product * (d as number), 1);
    weight.write(tf.tensor(weights.slice(at, at + size), weight.shape as number[]));
    at += size;
  }
  const inputShape = model.inputs[0]?.shape.slice(1) as number[];
  let loss = 0;
  for (let epoch = 0; epoch < how.epochs; epoch++) {
    const order = epochOrder(data.count, how.shuffleSeed, epoch);
    loss = 0;
    for (let from = 0; from < data.count; from += how.batchSize) {
      const rows = [...order.subarray(from, from + how.batchSize)];
      const xs = tf.tensor(
        rows.flatMap((row) => [...data.xs.subarray(row * 48, (row + 1) * 48)]),
        [rows.length, ...inputShape],
      );
      const labels = tf.tensor1d(
        rows.map((row) => data.ys[row] as number),
        'int32',
      );
      const ys = tf.oneHot(labels, 4).toFloat();
      loss += ((await model.trainOnBatch(xs, ys)) as number) * rows.length;
      tf.dispose([xs, ys, labels]);
    }
  }
  const flat = Float32Array.from(model.weights.flatMap((weight) => [...weight.read().dataSync()]));
  model.dispose();
  optimizer.dispose();
  return { weights: flat, loss: loss / data.count };
}

describe.each(backends)('on %s', (backend) => {
  it.each([
    ['a convolutional network', convolutional],
    ['regularisation and batch normalisation', regularised],
    ['depthwise and separable convolutions', depthwise],
    ['an embedding', embedded],
  ])('matches tfjs with %s', async (_, description) => {
    const trainer = await make(description, backend);
    const oracle = await tfjsOracle(description, await trainer.getWeights());
    const result = await trainer.train(data, how);
    expect(Math.abs(result.loss - oracle.loss)).toBeLessThan(1e-4);
    expect(result.weights.length).toBe(oracle.weights.length);
    for (const [i, weight] of result.weights.entries()) {
      expect(Math.abs(weight - (oracle.weights[i] as number))).toBeLessThan(1e-4);
    }
  });

  it('marks batch statistics as not trainable, and updates them', async () => {
    const trainer = await make(regularised, backend);
    const still = trainer.layout.filter((weight) => !weight.trainable).map((weight) => weight.name);
    expect(still).toEqual(['batch_normalization_3/moving_mean', 'batch_normalization_3/moving_variance']);
    const { weights } = await trainer.train(data, how);
    // The moving means begin at 0 and stand before the five variances, at the end of the layout.
    expect(weights.subarray(-10, -5).some((mean) => mean !== 0)).toBe(true);
  });

  it('draws dropout anew at each step, and the same for the same shuffle seed', async () => {
    const run = async (shuffleSeed: string) =>
      (await (await make(withDropout, backend)).train(data, { ...how, batchSize: 21, shuffleSeed })).weights;
    const weights = await run('a');
    expect(await run('a')).toEqual(weights);
    expect(await run('b')).not.toEqual(weights);
  });

  it('leaves no tensor behind', async () => {
    await (await createTrainer(convolutional, { backend, seed: 1 })).dispose();
    const before = tf.memory().numTensors;
    for (const description of [convolutional, regularised, withDropout, depthwise, embedded]) {
      const trainer = await createTrainer(description, { backend, seed: 1 });
      const made = tf.memory().numTensors;
      for (const optimizer of ['sgd', 'momentum', 'adam'] as const) {
        await trainer.train(data, { ...how, optimizer });
      }
      await trainer.train(data, { ...how, learningRate: 1e30 }).catch(() => {});
      const vector = new Float32Array((await trainer.getWeights()).length).fill(0.5);
      trainer.setWeights(vector);
      await trainer.train(data, how, {
        objective: { scale: vector, pull: 0.1, anchor: vector, offset: vector },
      });
      await trainer.gradient(data);
      trainer.setWeights(vector.fill(Number.NaN));
      await expect(trainer.gradient(data)).rejects.toMatchObject({ code: 'training-diverged' });
      trainer.setWeights(new Float32Array((await trainer.getWeights()).length));
      await trainer.evaluate(data);
      await trainer.predict(data.xs, data.count);
      expect(tf.memory().numTensors).toBe(made);
      trainer.dispose();
      expect(tf.memory().numTensors).toBe(before);
    }
  });
});

it.each([
  ['depthwise and separable convolutions', depthwise],
  ['an embedding', embedded],
])('follows the same losses on wasm as on cpu with %s', async (_, description) => {
  // All examples in each step, and small ones: the loss must fall.
  const steady = { ...how, epochs: 5, batchSize: data.count, learningRate: 0.02 };
  const losses = await Promise.all(
    backends.map(async (backend) => {
      const trainer = await make(description, backend);
      const seen: number[] = [];
      for (let round = 0; round < 6; round++) seen.push((await trainer.train(data, steady)).loss);
      return seen;
    }),
  );
  const [cpu, wasm] = losses as [number[], number[]];
  expect(cpu.at(-1)).toBeLessThan(cpu[0] as number);
  // Sums of a few hundred float32 numbers (ε = 6e-8) in another order, over 30 steps of a small rate:
  // far below 1e-4, and a wrong gradient is far above it.
  for (const [i, loss] of cpu.entries()) expect(Math.abs(loss - (wasm[i] as number))).toBeLessThan(1e-4);
});

it('trains several models at once on several backends, each as if it were alone', async () => {
  const long = { ...how, epochs: 40, batchSize: 2 };
  const alone = await Promise.resolve(make(convolutional, 'cpu')).then((trainer) =>
    trainer.train(data, long),
  );
  const trainers = await Promise.all([
    make(convolutional, 'cpu'),
    make(convolutional, 'wasm'),
    make(convolutional, 'cpu'),
  ]);
  expect(trainers.map((trainer) => trainer.backend)).toEqual(['cpu', 'wasm', 'cpu']);
  const [cpu, wasm, again] = await Promise.all(trainers.map((trainer) => trainer.train(data, long)));
  expect(cpu?.weights).toEqual(alone.weights);
  expect(again?.weights).toEqual(alone.weights);
  expect(wasm?.loss).toBeCloseTo(alone.loss, 2);
});

it('describes a model by the weights that its trainers begin with', async () => {
  const described = await describeModel(convolutional, 3);
  const trainer = await make(convolutional, 'wasm');
  expect(described.layout).toEqual(trainer.layout);
  expect(described.weights).toEqual(await trainer.getWeights());
});
