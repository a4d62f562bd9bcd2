import { memorySpool, memoryStorage, startCoordinator } from '@coppice/coordinator';
import { writeSafetensors } from '@coppice/model-files/safetensors';
import { createHeadlessParticipant, trainerHost } from '@coppice/participant/node';
import { normal, seededRandom } from '@coppice/ports';
import { type CreateTask, shapeSize } from '@coppice/protocol';
import { createTrainer, layoutOf } from '@coppice/training';
import * as tf from '@tensorflow/tfjs';
import { afterEach, expect, it } from 'vitest';

/* A model with a frozen base and given weights, trained by one participant, against fine-tuning by plain tfjs. */

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const random = seededRandom('fine-tuning');
const COUNT = 12;
const xs = Float32Array.from({ length: COUNT * 4 }, () => normal(random));
const ys = Float32Array.from({ length: COUNT }, (_, i) => i % 3);

const layer = (class_name: string, name: string, config: object) => ({
  class_name,
  config: { name, ...config },
});
const base = (norm: boolean) => [
  layer('Dense', 'base', { units: 5, activation: 'tanh', trainable: false, batch_input_shape: [null, 4] }),
  ...(norm ? [layer('BatchNormalization', 'norm', { trainable: false })] : []),
];
const head = (more: object = {}) => layer('Dense', 'head', { units: 3, activation: 'softmax', ...more });
const sequential = (layers: object[]) => ({ class_name: 'Sequential', config: { name: 'm', layers } });

/** Given weights, by name. Variances are positive. */
const given = new Map(
  (
    [
      ['base/kernel', [4, 5]],
      ['base/bias', [5]],
      ['norm/gamma', [5]],
      ['norm/beta', [5]],
      ['norm/moving_mean', [5]],
      ['norm/moving_variance', [5]],
      ['head/kernel', [5, 3]],
      ['head/bias', [3]],
    ] as const
  ).map(([name, shape]) => [
    name as string,
    {
      name,
      shape: [...shape],
      values: Float32Array.from({ length: shapeSize(shape) }, () =>
        /variance/.test(name) ? 0.5 + normal(random) ** 2 : normal(random),
      ),
    },
  ]),
);

/** Loads a model with the given weights, as any page does. */
async function load(layers: object[]): Promise<tf.LayersModel> {
  const topology = sequential(layers);
  const bare = await tf.models.modelFromJSON({ modelTopology: structuredClone(topology) } as never);
  const tensors = bare.weights.map(({ originalName }) => given.get(originalName));
  bare.dispose();
  return tf.loadLayersModel(
    tf.io.fromMemory({
      modelTopology: topology,
      weightSpecs: tensors.map((tensor) => ({
        name: tensor?.name ?? '',
        shape: tensor?.shape ?? [],
        dtype: 'float32',
      })),
      weightData: Float32Array.from(tensors.flatMap((tensor) => [...(tensor?.values ?? [])])).buffer,
    }),
  );
}

/** The head after fine-tuning by plain tfjs: on the features that the base gives, which is never trained. */
async function fineTuned(norm: boolean, epochs: number) {
  await tf.setBackend('cpu');
  const features = await load(base(norm));
  const top = await load([head({ batch_input_shape: [null, 5] })]);
  const labels = tf.oneHot(tf.tensor1d([...ys], 'int32'), 3);
  top.compile({ optimizer: tf.train.sgd(0.5), loss: 'categoricalCrossentropy' });
  const seen = features.predict(tf.tensor2d(xs, [COUNT, 4])) as tf.Tensor;
  await top.fit(seen, labels, { epochs, batchSize: COUNT, shuffle: false, verbose: 0 });
  return new Map(
    top.weights.map((weight) => [weight.originalName, weight.read().dataSync() as Float32Array]),
  );
}

it.each([
  { norm: false, rounds: 1 },
  { norm: false, rounds: 2 },
  { norm: true, rounds: 2 },
])(
  'is fine-tuning, and moves no bit of what is frozen: $rounds rounds, normalization: $norm',
  async ({ norm, rounds }) => {
    const coordinator = await startCoordinator({
      config: { port: 0, logLevel: 'silent' },
      storage: memoryStorage(),
      spool: memorySpool(),
    });
    closing.push(() => coordinator.close());
    const model = sequential([...base(norm), head()]);
    const tensors = [...given.values()].filter(({ name }) => norm || !name.startsWith('norm/'));
    const { hash } = await coordinator.weights.take(writeSafetensors(tensors));
    const task: CreateTask = {
      id: 'tuned',
      title: { en: 'Tuned' },
      description: { en: 'A model with a frozen base.' },
      data: {
        kind: 'table',
        features: ['a', 'b', 'c', 'd'].map((name) => ({ name, mean: 0, scale: 1 })),
        target: { kind: 'class', name: 'y', classes: ['0', '1', '2'] },
      },
      model,
      heldOut: 0,
      weights: hash,
    };
    await coordinator.tasks.create(task);
    const { id: run } = await coordinator.runs.create(
      'tuned',
      {
        rounds,
        minParticipants: 1,
        cohortFraction: 1,
        overSelection: 1,
        evaluationShare: 0,
        epochs: 2,
        batchSize: COUNT,
        learningRate: 0.5,
        optimizer: 'sgd',
        firstNorm: null,
        normFactor: null,
      },
      true,
    );
    const session = createHeadlessParticipant({
      url: coordinator.url,
      identity: 'one device',
      host: trainerHost(createTrainer, ['planned', 'cpu']),
      backend: 'planned',
      examples: { count: COUNT, features: xs, labels: ys },
    });
    closing.push(() => session.close());
    session.connect();
    await session.join(run);
    await expect.poll(() => session.state.activity.kind).toBe('ended');

    const { model: topology, data, loss } = coordinator.tasks.get('tuned');
    const layout = await layoutOf({ topology, data, loss });
    const latest = await coordinator.storage.latest(run);
    expect(latest?.checkpoint.round).toBe(rounds);
    const tuned = await fineTuned(norm, 2 * rounds);
    let at = 0;
    for (const { name, shape } of layout) {
      const values = latest?.weights.slice(at, at + shapeSize(shape)) ?? new Float32Array(0);
      at += shapeSize(shape);
      const expected = tuned.get(name);
      if (expected === undefined) expect(values, name).toEqual(given.get(name)?.values);
      else
        for (const [i, value] of values.entries()) expect(value, name).toBeCloseTo(expected[i] as number, 5);
    }
    expect(at).toBe(tensors.reduce((sum, { values }) => sum + values.length, 0));
    expect(tuned.size).toBe(2);
  },
);
