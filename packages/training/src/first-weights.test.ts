import type { DataSchema, Topology } from '@coppice/protocol';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { useBackend } from './backends.ts';
import { createTrainer } from './create-trainer.ts';
import { checkModel, describeModel, trialWeights } from './describe-model.ts';
import { seedTopology } from './initialize.ts';
import { registerInitializers } from './initializers.ts';
import { layoutOf } from './layout-of.ts';
import { orthogonalised } from './orthogonal.ts';
import { rankBackends } from './rank-backends.ts';
import * as tf from './tf.ts';

vi.mock('./orthogonal.ts', { spy: true });

/* The oracle is tfjs itself: its own layers from the same topology, its own initializers. */

const data: DataSchema = { kind: 'image', width: 4, height: 6, channels: 1, classes: ['a', 'b', 'c'] };
const layer = (class_name: string, config: object = {}) => ({ class_name, config });
const sequential = (...layers: unknown[]): Topology => ({ class_name: 'Sequential', config: { layers } });
const sequence = { batch_input_shape: [null, 6, 4] };
const head = layer('Dense', { units: 3, activation: 'softmax' });
const orthogonal = layer('Orthogonal', { gain: 1.3 });
const cases: [string, Topology][] = [
  ['LSTM', sequential(layer('LSTM', { units: 5, ...sequence }), head)],
  ['GRU', sequential(layer('GRU', { units: 5, reset_after: false, ...sequence }), head)],
  ['SimpleRNN', sequential(layer('SimpleRNN', { units: 5, ...sequence }), head)],
  [
    'Bidirectional',
    sequential(
      layer('Bidirectional', {
        layer: layer('LSTM', { units: 4, name: 'inner' }),
        merge_mode: 'concat',
        ...sequence,
      }),
      head,
    ),
  ],
  [
    'an RNN of stacked cells',
    sequential(
      layer('RNN', {
        cell: layer('StackedRNNCells', {
          cells: [
            layer('LSTMCell', { units: 3, name: 'c1' }),
            layer('GRUCell', { units: 4, name: 'c2', reset_after: false }),
          ],
        }),
        ...sequence,
      }),
      head,
    ),
  ],
  [
    'TimeDistributed, and Dense with Orthogonal on both sides',
    sequential(
      layer('TimeDistributed', {
        layer: layer('Dense', { units: 7, kernel_initializer: orthogonal, name: 'd' }),
        ...sequence,
      }),
      layer('Flatten'),
      layer('Dense', { units: 9, kernel_initializer: orthogonal }),
      layer('BatchNormalization'),
      head,
    ),
  ],
  [
    'a model inside of a model',
    sequential(
      layer('Reshape', { target_shape: [6, 4], batch_input_shape: [null, 6, 4, 1] }),
      layer('Sequential', {
        name: 'inner',
        layers: [layer('GRU', { units: 4, reset_after: false, name: 'g', ...sequence })],
      }),
      layer('Dense', { units: 4 }),
      head,
    ),
  ],
];

const xs = Float32Array.from({ length: 3 * 24 }, (_, i) => Math.sin(i * 1.7));

/** What plain tfjs makes of a topology with the same seeds written into it: its own initializers, and none left out. */
async function plain(topology: Topology, seed: number): Promise<tf.LayersModel> {
  await useBackend('cpu');
  const own = [
    tf.initializers.orthogonal({ gain: 1 }),
    tf.initializers.truncatedNormal({}),
    tf.initializers.varianceScaling({ scale: 1, mode: 'fanIn', distribution: 'normal' }),
  ];
  for (const one of own) tf.serialization.registerClass(one.constructor as never);
  try {
    return await tf.models.modelFromJSON({ modelTopology: seedTopology(topology, seed) as never });
  } finally {
    registerInitializers();
  }
}

beforeAll(() => {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
});

describe.each(cases)('%s', (_, topology) => {
  const description = { topology, data, loss: 'categoricalCrossentropy' } as const;

  it('draws the very same first weights as tfjs does', async () => {
    await useBackend('cpu');
    const { weights, layout } = await describeModel(description, 5);
    const model = await plain(topology, 5);
    const expected = model.weights.flatMap((weight) => [...weight.read().dataSync()]);
    expect(weights).toEqual(Float32Array.from(expected));
    expect(layout.map(({ shape }) => shape)).toEqual(model.weights.map(({ shape }) => shape));
  });

  it('built with zeros and given weights predicts what plain tfjs does', async () => {
    const { weights } = await describeModel(description, 5);
    const model = await plain(topology, 5);
    const shape = model.inputs[0]?.shape.slice(1) as number[];
    const oracle = (model.predict(tf.tensor(xs, [3, ...shape])) as tf.Tensor).dataSync();
    for (const backend of ['planned', 'wasm', 'cpu'] as const) {
      const trainer = await createTrainer(description, { backend, seed: 0 });
      trainer.setWeights(weights);
      const rows = await trainer.predict(xs, 3);
      for (const [i, value] of rows.entries()) expect(value).toBeCloseTo(oracle[i] as number, 5);
      trainer.dispose();
    }
  });

  it('is the same on each backend where it draws its own, and tries nothing with zeros', async () => {
    const { weights } = await describeModel(description, 9);
    for (const backend of ['planned', 'wasm', 'cpu'] as const) {
      const trainer = await createTrainer(description, { backend, seed: 9 });
      expect(await trainer.getWeights()).toEqual(weights);
      trainer.dispose();
    }
    const tried = await trialWeights(description);
    expect(tried).toHaveLength(weights.length);
    expect(tried.filter((weight) => weight !== 0).length).toBeGreaterThan(tried.length / 2);
  });
});

const wide = (units: number, initializer: unknown) =>
  sequential(
    layer('Flatten', { batch_input_shape: [null, 6, 4] }),
    layer('Dense', { units, name: 'one' }),
    layer('Dense', { units, kernel_initializer: initializer, name: 'two' }),
    head,
  );

it.each([
  ['a large LSTM', sequential(layer('LSTM', { units: 256, ...sequence }), head)],
  ['Dense 2000 with Orthogonal', wide(2000, 'Orthogonal')],
])('is checked, tried and trained without an orthogonal matrix: %s', async (_, topology) => {
  const description = { topology, data, loss: 'categoricalCrossentropy' } as const;
  const decompositions = vi.mocked(orthogonalised).mockClear();
  const { layout } = await checkModel(topology, data, description.loss);
  await rankBackends(description, { batchSize: 1 });
  const trainer = await createTrainer(description, { backend: 'wasm', seed: 0 });
  trainer.setWeights(await trialWeights(description));
  await trainer.predict(xs, 3);
  trainer.dispose();
  expect(await layoutOf(description)).toEqual(layout);
  expect(decompositions).not.toHaveBeenCalled();
});

it.each([
  ['an orthogonal matrix out of all proportion', wide(4000, 'Orthogonal'), /two\/kernel is too large/],
  [
    'an orthogonal bias',
    sequential(
      layer('Flatten', { batch_input_shape: [null, 6, 4] }),
      layer('Dense', { units: 3, activation: 'softmax', bias_initializer: 'Orthogonal', name: 'd' }),
    ),
    /d\/bias.*no matrix/,
  ],
  ['a deviation that no number is within', wide(4, layer('TruncatedNormal', { stddev: -1 })), /stddev -1/],
  ['a deviation that is no number', wide(4, layer('TruncatedNormal', { mean: 'x' })), /mean "x"/],
  [
    'a scale that is no number',
    wide(4, layer('VarianceScaling', { scale: 'x', mode: 'fanIn', distribution: 'normal' })),
    /scale "x"/,
  ],
  [
    'an identity that is not square',
    sequential(
      layer('Flatten', { batch_input_shape: [null, 6, 4] }),
      layer('Dense', { units: 3, activation: 'softmax', kernel_initializer: 'Identity', name: 'd' }),
    ),
    /d\/kernel.*square/,
  ],
])('is refused by name: %s', async (_, topology, message) => {
  await expect(checkModel(topology, data, 'categoricalCrossentropy')).rejects.toMatchObject({
    code: 'model-invalid',
    message: expect.stringMatching(message),
  });
});
