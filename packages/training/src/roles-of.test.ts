import { normal, seededRandom } from '@coppice/ports';
import type { DataSchema, Topology } from '@coppice/protocol';
import { describe, expect, it } from 'vitest';
import { switchTo, useBackend } from './backends.ts';
import { withBuiltModel } from './built-model.ts';
import { createTrainer } from './create-trainer.ts';
import { layoutOf } from './layout-of.ts';
import { readPlain } from './planned/read-plain.ts';
import { readWithTfjs } from './planned/read-with-tfjs.ts';
import { rolesOf } from './roles-of.ts';
import * as tf from './tf.ts';
import type { ModelDescription } from './trainer.ts';
import type { WeightRole } from './weight-role.ts';

type Config = Record<string, unknown>;
const layer = (class_name: string, config: Config = {}) => ({ class_name, config });
const sequential = (layers: unknown[], config: Config = {}) =>
  layer('Sequential', { ...config, layers }) as Topology;
const data: DataSchema = { kind: 'image', width: 5, height: 4, channels: 1, classes: ['a', 'b', 'c'] };
const input = layer('InputLayer', { batch_input_shape: [null, 4, 5, 1] });
const rows = layer('Reshape', { target_shape: [4, 5] });
const flat = layer('Flatten');
const head = layer('Dense', { units: 3, activation: 'softmax' });
/** A bias before a normalization has no gradient. */
const hidden = (config: Config = {}) =>
  layer('Dense', { units: 4, activation: 'tanh', use_bias: false, ...config });
const norm = (config: Config = {}) => layer('BatchNormalization', { momentum: 0.5, ...config });

const nested = (inner: Config, outer: Config = {}) =>
  sequential([
    input,
    flat,
    sequential(
      [hidden({ batch_input_shape: [null, 20], ...inner }), norm(inner), hidden({ name: 'moved' })],
      outer,
    ),
    head,
  ]);

/** A model in a model that is written as links, behind a frozen normalization. */
function functional(): Topology {
  const inside = tf.input({ shape: [20] });
  const centre = tf.layers.batchNormalization({ trainable: false }).apply(inside) as tf.SymbolicTensor;
  const inner = tf.model({
    inputs: inside,
    outputs: tf.layers
      .dense({ units: 4, activation: 'tanh', trainable: false })
      .apply(centre) as tf.SymbolicTensor,
  });
  const outside = tf.input({ shape: [20] });
  const both = tf.layers
    .concatenate()
    .apply([inner.apply(outside) as tf.SymbolicTensor, outside]) as tf.SymbolicTensor;
  const scores = tf.layers.dense({ units: 3, activation: 'softmax' }).apply(both) as tf.SymbolicTensor;
  const model = tf.model({ inputs: outside, outputs: scores });
  const topology = model.toJSON(null, false) as unknown as Topology;
  model.dispose();
  return topology;
}

const models: Record<string, Topology> = {
  'a chain': sequential([input, flat, hidden(), norm(), hidden({ activation: 'sigmoid' }), head]),
  'a frozen dense layer': sequential([input, flat, hidden({ trainable: false }), norm(), head]),
  'a frozen normalization': sequential([input, flat, hidden(), norm({ trainable: false }), head]),
  'a frozen body': sequential([
    input,
    layer('Conv2D', { filters: 2, kernel_size: 2, trainable: false }),
    norm({ trainable: false }),
    flat,
    hidden({ trainable: false, use_bias: true }),
    head,
  ]),
  'a frozen normalization of pictures': sequential([input, norm({ trainable: false }), flat, head]),
  'a nested model': nested({}),
  'a nested model with frozen layers': nested({ trainable: false }),
  'a nested model that is said to be frozen': nested({}, { trainable: false }),
  'a nested model of links': functional(),
  'a frozen normalization of each row': sequential([
    input,
    rows,
    layer('TimeDistributed', { layer: norm({ trainable: false }) }),
    layer('TimeDistributed', { layer: hidden({ trainable: false }) }),
    flat,
    head,
  ]),
  'a wrapper that is said to be frozen': sequential([
    input,
    rows,
    layer('TimeDistributed', { trainable: false, layer: hidden() }),
    flat,
    head,
  ]),
  'a frozen recurrent layer': sequential([
    input,
    rows,
    layer('SimpleRNN', { units: 3, trainable: false }),
    norm(),
    head,
  ]),
  'a layer normalization': sequential([input, flat, layer('LayerNormalization', { trainable: false }), head]),
};

const described = (topology: Topology): ModelDescription => ({
  topology,
  data,
  loss: 'categoricalCrossentropy',
});
const random = seededRandom('examples');
const xs = Float32Array.from({ length: 12 * 20 }, () => normal(random) + 0.3);
const ys = Float32Array.from({ length: 12 }, (_, i) => i % 3);

/** Which weights two steps of plain tfjs move, at a learning rate. */
async function movedByTfjs(topology: Topology, learningRate: number): Promise<boolean[]> {
  await useBackend('cpu');
  switchTo('cpu');
  const model = await tf.models.modelFromJSON({
    modelTopology: structuredClone(topology),
  } as unknown as tf.io.ModelJSON);
  model.compile({ optimizer: tf.train.sgd(learningRate), loss: 'categoricalCrossentropy' });
  const read = () => model.weights.map((weight) => [...weight.read().dataSync()]);
  const before = read();
  const shape = (model.inputs[0]?.shape ?? []).slice(1) as number[];
  const inputs = tf.tensor(xs, [12, ...shape]);
  const labels = tf.oneHot(tf.tensor1d([...ys], 'int32'), 3);
  await model.fit(inputs, labels, { epochs: 2, batchSize: 12, verbose: 0 });
  const after = read();
  tf.dispose([inputs, labels]);
  model.dispose();
  return before.map((values, i) => values.some((value, j) => value !== after[i]?.[j]));
}

async function movedBy(backend: 'planned' | 'cpu', description: ModelDescription): Promise<boolean[]> {
  const trainer = await createTrainer(description, { backend, seed: 3 });
  try {
    const before = await trainer.getWeights();
    const how = { epochs: 2, batchSize: 12, optimizer: 'sgd', learningRate: 0.1, shuffleSeed: 's' } as const;
    const { weights } = await trainer.train({ count: 12, xs, ys }, how);
    let at = 0;
    return trainer.layout.map(({ shape }) => {
      const from = at;
      at += shape.reduce((size, length) => size * length, 1);
      return weights.subarray(from, at).some((value, i) => value !== before[from + i]);
    });
  } finally {
    trainer.dispose();
  }
}

/** Statistics of frozen normalizations, by model: a mean and a variance each. */
const frozenStatistics: Readonly<Record<string, number>> = {
  'a frozen normalization': 2,
  'a frozen body': 2,
  'a frozen normalization of pictures': 2,
  'a nested model with frozen layers': 2,
  'a nested model of links': 2,
  'a frozen normalization of each row': 2,
};

describe.each(Object.keys(models))('the roles of the weights of %s', (name) => {
  const topology = models[name] as Topology;

  it('are what plain tfjs does with them, but for a frozen layer’s statistics: a rate of 0 stops what the optimizer moves', async () => {
    const [moved, movedAnyhow] = [await movedByTfjs(topology, 0.1), await movedByTfjs(topology, 0)];
    const expected = moved.map((moves, i): WeightRole => {
      if (movedAnyhow[i]) return 'average';
      return moves ? 'step' : 'frozen';
    });
    const roles = await rolesOf(described(topology));
    // Plain tfjs moves those of layers that are frozen as well.
    const frozen = frozenStatistics[name] ?? 0;
    expect(roles.filter((role, i) => role === 'frozen' && expected[i] === 'average')).toHaveLength(frozen);
    expect(
      roles.map((role, i) => (expected[i] === 'average' && role === 'frozen' ? 'average' : role)),
    ).toEqual(expected);
    const layout = await layoutOf(described(topology));
    expect(layout.map(({ trainable }) => trainable)).toEqual(expected.map((role) => role === 'step'));
    expect(layout.map(({ frozen = false }) => frozen)).toEqual(roles.map((role) => role === 'frozen'));
    expect(await withBuiltModel(described(topology), (built) => built.layout)).toEqual(layout);
  });

  it('are what the trainers do with them', async () => {
    const expected = (await rolesOf(described(topology))).map((role) => role !== 'frozen');
    expect(await movedBy('cpu', described(topology))).toEqual(expected);
    if (readPlain(described(topology)) === null) return;
    expect(await movedBy('planned', described(topology))).toEqual(expected);
  });
});

it('finds each role somewhere, with and without tfjs', async () => {
  const plain = readPlain(described(models['a frozen body'] as Topology));
  expect(plain?.roles).toEqual([
    'step',
    'step',
    'frozen',
    'frozen',
    'frozen',
    'frozen',
    'frozen',
    'frozen',
    'frozen',
    'frozen',
  ]);
  expect(readPlain(described(models['a chain'] as Topology))?.roles).toContain('average');
  expect((await readWithTfjs(described(models['a frozen body'] as Topology))).roles).toEqual(plain?.roles);
});

it.each(['a frozen normalization', 'a frozen body', 'a frozen normalization of pictures'])(
  'trains %s by what it kept, to the same weights with and without tfjs',
  async (name) => {
    const description = described(models[name] as Topology);
    const roles = await rolesOf(description);
    const trained = async (backend: 'planned' | 'cpu', scale: number) => {
      const trainer = await createTrainer(description, { backend, seed: 3 });
      try {
        // Statistics far from those of the batch, so that the one would be told from the other.
        let at = 0;
        const weights = (await trainer.getWeights()).slice();
        for (const [i, { shape }] of trainer.layout.entries()) {
          const size = shape.reduce((all, length) => all * length, 1);
          if (roles[i] === 'frozen')
            for (let j = at; j < at + size; j++) weights[j] = scale * (weights[j] as number) + 0.5;
          at += size;
        }
        trainer.setWeights(weights);
        const how = {
          epochs: 3,
          batchSize: 4,
          optimizer: 'sgd',
          learningRate: 0.1,
          shuffleSeed: 's',
        } as const;
        return (await trainer.train({ count: 12, xs, ys }, how)).weights;
      } finally {
        trainer.dispose();
      }
    };
    const [planned, cpu, other] = [
      await trained('planned', 2),
      await trained('cpu', 2),
      await trained('cpu', 4),
    ];
    const apart = (a: Float32Array, b: Float32Array) =>
      Math.max(...a.map((value, i) => Math.abs(value - (b[i] as number))));
    expect(apart(planned, cpu)).toBeLessThan(1e-5);
    // What it kept plays a part in the steps of what is trained.
    const steps = roles.filter((role) => role === 'step').length;
    const size = (await layoutOf(description))
      .slice(0, steps)
      .reduce((all, { shape }) => all + shape.reduce((n, length) => n * length, 1), 0);
    expect(apart(cpu.subarray(0, size), other.subarray(0, size))).toBeGreaterThan(1e-3);
  },
);
