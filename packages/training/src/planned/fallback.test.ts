import type { DataSchema, Topology } from '@coppice/protocol';
import { expect, it, onTestFinished } from 'vitest';
import { createTrainer } from '../create-trainer.ts';
import * as tf from '../tf.ts';
import type { Dataset, LocalTraining, ModelDescription } from '../trainer.ts';

/* What no plan can be made for is trained by tfjs, which says why; it must never be planned as something else. */
const layer = (class_name: string, config: object = {}) => ({ class_name, config });
const input = layer('InputLayer', { batch_input_shape: [null, 6, 6, 1] });
const head = [layer('Flatten'), layer('Dense', { units: 3, activation: 'softmax' })];
const around = (...layers: unknown[]): Topology => ({
  class_name: 'Sequential',
  config: { layers: [input, ...layers, ...head] },
});
const picture: DataSchema = { kind: 'image', width: 6, height: 6, channels: 1, classes: ['a', 'b', 'c'] };
const describe = (topology: Topology): ModelDescription => ({
  topology,
  data: picture,
  loss: 'categoricalCrossentropy',
});
const data: Dataset = {
  count: 5,
  xs: Float32Array.from({ length: 5 * 36 }, (_, i) => Math.abs(Math.sin(i * 7.13))),
  ys: Float32Array.of(0, 1, 2, 0, 1),
};
const how: LocalTraining = {
  epochs: 2,
  batchSize: 2,
  optimizer: 'sgd',
  learningRate: 0.05,
  shuffleSeed: 's',
};

async function make(topology: Topology, backend: 'planned' | 'wasm') {
  const trainer = await createTrainer(describe(topology), { backend, seed: 3 });
  onTestFinished(() => trainer.dispose());
  return trainer;
}

const conv = (more: object) => layer('Conv2D', { name: 'odd', filters: 2, kernel_size: 3, ...more });
const maxNorm = { class_name: 'MaxNorm', config: { maxValue: 1, axis: 0 } };

it.each([
  ['an activation without kernels', around(conv({ activation: 'selu' })), /"odd" \(Conv2D\).*selu/],
  ['a layer without kernels', around(layer('LeakyReLU', { name: 'odd' })), /"odd" \(LeakyReLU\)/],
  ['a bounded ReLU', around(layer('ReLU', { name: 'odd', max_value: 6 })), /"odd" \(ReLU\).*bounded/],
  ['a constraint', around(conv({ kernel_constraint: maxNorm })), /"odd".*constraint/],
  [
    'averages over the edge',
    around(layer('AveragePooling2D', { name: 'odd', padding: 'same', pool_size: 4 })),
    /edge/,
  ],
  [
    'the largest of all, of which several may be',
    around(layer('GlobalMaxPooling2D', { name: 'odd' }), layer('Reshape', { target_shape: [1, 1, 1] })),
    /GlobalMaxPooling2D/,
  ],
  [
    'a nested model',
    around(
      layer('Sequential', {
        name: 'odd',
        layers: [layer('Conv2D', { filters: 2, kernel_size: 3, batch_input_shape: [null, 6, 6, 1] })],
      }),
    ),
    /"odd"/,
  ],
  [
    'a wrapped layer',
    around(layer('TimeDistributed', { name: 'odd', layer: layer('Dense', { units: 2 }) })),
    /"odd"/,
  ],
  ['noise', around(layer('GaussianNoise', { name: 'odd', stddev: 0.1 })), /"odd" \(GaussianNoise\)/],
] as const)('%s is trained by tfjs, which says so', async (_, topology, why) => {
  const trainer = await make(topology, 'planned');
  expect(trainer.backend).toBe('wasm');
  expect(trainer.note).toMatch(why);
  const oracle = await make(topology, 'wasm');
  expect(oracle.note).toBeUndefined();
  expect((await trainer.train(data, how)).weights).toEqual((await oracle.train(data, how)).weights);
});

it('a branch is trained by tfjs, a chain that is written as a graph by a plan', async () => {
  const graph = (branch: boolean): Topology => {
    const start = tf.input({ shape: [6, 6, 1] });
    const flat = tf.layers.flatten().apply(start) as tf.SymbolicTensor;
    const hidden = tf.layers.dense({ units: 4, activation: 'tanh' }).apply(flat) as tf.SymbolicTensor;
    const other = tf.layers.dense({ units: 4, activation: 'tanh' }).apply(flat) as tf.SymbolicTensor;
    const middle = branch ? (tf.layers.add().apply([hidden, other]) as tf.SymbolicTensor) : hidden;
    const end = tf.layers.dense({ units: 3, activation: 'softmax' }).apply(middle) as tf.SymbolicTensor;
    const model = tf.model({ inputs: start, outputs: end });
    const topology = model.toJSON(null, false) as unknown as Topology;
    model.dispose();
    return topology;
  };
  expect((await make(graph(true), 'planned')).note).toMatch(/several inputs/);
  const planned = await make(graph(false), 'planned');
  expect(planned.backend).toBe('planned');
  const [actual, expected] = [
    await planned.train(data, how),
    await (await make(graph(false), 'wasm')).train(data, how),
  ];
  expect(actual.loss).toBeCloseTo(expected.loss, 4);
});

it('leaves no tensor behind, planned or not', async () => {
  await (await createTrainer(describe(around()), { backend: 'wasm', seed: 1 })).dispose();
  const before = tf.memory().numTensors;
  for (const topology of [around(), around(layer('LeakyReLU')), around(layer('BatchNormalization'))]) {
    const trainer = await createTrainer(describe(topology), { backend: 'planned', seed: 1 });
    await trainer.train(data, how);
    trainer.dispose();
    expect(tf.memory().numTensors).toBe(before);
  }
});
