import { readdirSync, readFileSync } from 'node:fs';
import { readTopology, weightsOf } from '@coppice/model-files';
import { readModelFile } from '@coppice/model-files/files';
import { type DataSchema, type Layout, shapeSize, type Topology } from '@coppice/protocol';
import { createTrainer } from '@coppice/training';
import { checkModel } from '@coppice/training/describe';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';

/** What `make-keras.py` wrote, with Keras 3.15 and, in keras-2.json, with tf_keras 2.21. */
interface Record {
  readonly name: string;
  readonly data: DataSchema;
  readonly model: unknown;
  /** Path and shape of each weight, in the order of Keras. */
  readonly weights: readonly (readonly [string, readonly number[]])[];
  /** The inputs are whole numbers below it. */
  readonly low?: number | null;
  /** Predictions of Keras for two examples; left out where the model is refused. */
  readonly outputs?: readonly number[];
}

const fixtures = new URL('../packages/model-files/src/fixtures/', import.meta.url);
const read = (file: string) => JSON.parse(readFileSync(new URL(file, fixtures), 'utf8')) as Record[];
const records = [
  ...read('keras.json').map((record) => ['Keras 3', record.name, record] as const),
  ...read('keras-2.json').map((record) => ['Keras 2', record.name, record] as const),
];
const taken = records.filter(([, , { outputs }]) => outputs !== undefined);
const refused = records.filter(([, , { outputs }]) => outputs === undefined);

/** The layer and the reason of each refusal. */
const reasons: { readonly [name: string]: RegExp } = {
  'refused-gru-reset-after': /"g" \(GRU\) .*reset_after=False/,
  'refused-normalization': /"norm" \(Normalization\) .*columns of the task/,
  'refused-random-flip': /"flip" \(RandomFlip\) changes pictures at random/,
  'refused-lambda': /"double" \(Lambda\) holds Python code/,
  'refused-subtract': /"less" \(Subtract\) .*Use Add/,
  'refused-activity': /"quiet" \(ActivityRegularization\) has a loss of its own/,
  'refused-groups': /"grouped" \(Conv2D\) has groups/,
  'refused-causal': /"causal" \(Conv1D\) pads causally/,
  'refused-unit-norm': /"unit" \(Dense\) has the constraint UnitNorm/,
  'refused-keepdims': /"pool" \(GlobalAveragePooling2D\) keeps its dimensions/,
  'refused-training-false': /"base" \(Sequential\) is applied with training=False .*"batch_normalization"/,
  'refused-custom': /"own" \(Doubling\) is a layer of your own/,
  'refused-operation': /"multiply" \(Multiply\) is an operation/,
  'refused-attention': /"attend" \(MultiHeadAttention\) is of a kind that tfjs doesn't know/,
  'refused-hard-sigmoid': /"hard" \(Dense\) has the activation hard_sigmoid/,
  'refused-float16': /"half" \(Dense\) computes with numbers of type mixed_float16/,
  'refused-group-normalization': /"groups" \(GroupNormalization\) is of a kind that tfjs doesn't know/,
};

/** The numbers of the script's `numbers`. */
const numbers = (size: number, salt: number) =>
  Float64Array.from({ length: size }, (_, i) => Math.sin(i * 0.7 + salt * 1.3 + 1));

/** The weights that the script gave the model, by the names of the layout. Constraints apply when tfjs loads them. */
function given(record: Record, topology: Topology): Map<string, Float32Array> {
  const names = weightsOf(topology).flatMap((layer) => layer.names);
  expect(names).toHaveLength(record.weights.length);
  return new Map(
    record.weights.map(([path, shape], k) => {
      const values = numbers(shapeSize(shape), k).map((x) => x * 0.3);
      const positive = path.includes('variance') ? values.map((x) => Math.abs(x) + 0.5) : values;
      return [names[k] as string, Float32Array.from(positive)];
    }),
  );
}

/** Loads topology and weights as anybody would load a served `model.json`, strictly. */
async function loaded(topology: Topology, layout: Layout, weights: ReadonlyMap<string, Float32Array>) {
  const all = layout.flatMap(({ name }) => [...(weights.get(name) ?? [])]);
  return tf.loadLayersModel(
    tf.io.fromMemory({
      modelTopology: topology,
      weightSpecs: layout.map(({ name, shape }) => ({ name, shape: [...shape], dtype: 'float32' as const })),
      weightData: Float32Array.from(all).buffer,
    }),
  );
}

describe('a model that Keras wrote', () => {
  it.each(taken)('%s: %s predicts in plain tfjs as in Keras', async (_writer, _name, record) => {
    const { topology, layout } = await checkModel(record.model, record.data, 'categoricalCrossentropy');
    expect(readTopology(topology)).toEqual(topology);
    const weights = given(record, topology);
    expect([...weights.keys()].sort()).toEqual(layout.map(({ name }) => name).sort());
    const model = await loaded(topology, layout, weights);
    const shape = [2, ...(model.inputs[0]?.shape.slice(1) ?? [])] as number[];
    const { low } = record;
    const inputs = low
      ? Float32Array.from({ length: shapeSize(shape) }, (__, i) => (i * 7) % low)
      : Float32Array.from(numbers(shapeSize(shape), 0));
    const outputs = model.predict(tf.tensor(inputs, shape)) as tf.Tensor;
    const wanted = record.outputs as readonly number[];
    for (const [i, value] of outputs.dataSync().entries()) {
      expect(Math.abs(value - (wanted[i] as number))).toBeLessThan(1e-5);
    }
    model.dispose();
  });

  it.each(refused)('%s: %s is refused by layer and reason, on one line', async (_writer, name, record) => {
    const refusal = await checkModel(record.model, record.data, 'categoricalCrossentropy').then(
      () => null,
      (thrown: unknown) => thrown,
    );
    expect(refusal).toMatchObject({ code: 'model-invalid' });
    const { message } = refusal as Error;
    expect(message).not.toMatch(/\n|damaged|cut short/);
    expect(message).toMatch(reasons[name] as RegExp);
  });
});

it('keeps constraints after each step, as Keras does', async () => {
  const record = JSON.parse(readFileSync(new URL('constraints.json', fixtures), 'utf8')) as {
    model: unknown;
    before: number[][];
    after: number[][];
  };
  const data: DataSchema = {
    kind: 'table',
    features: ['a', 'b', 'c', 'd'].map((name) => ({ name, mean: 0, scale: 1 })),
    target: { kind: 'class', name: 'y', classes: ['x', 'y', 'z'] },
  };
  const { topology } = await checkModel(record.model, data, 'categoricalCrossentropy');
  const description = { topology, data, loss: 'categoricalCrossentropy' as const };
  for (const backend of ['planned', 'wasm', 'cpu'] as const) {
    const trainer = await createTrainer(description, { backend, seed: 1 });
    trainer.setWeights(Float32Array.from(record.before.flat()));
    const examples = {
      count: 8,
      xs: Float32Array.from(numbers(32, 1)),
      ys: Float32Array.from({ length: 8 }, (_, i) => i % 3),
    };
    const { weights } = await trainer.train(examples, {
      epochs: 6,
      batchSize: 8,
      optimizer: 'sgd',
      learningRate: 0.5,
      shuffleSeed: 'constraints',
    });
    for (const [i, wanted] of record.after.flat().entries()) {
      expect(Math.abs((weights[i] as number) - wanted)).toBeLessThan(1e-5);
    }
    // A mean outside of the set is measured as tfjs loads it: inside.
    trainer.setWeights(weights.map((weight) => weight * 10 - 1));
    const loaded = await trainer.getWeights();
    expect(Math.hypot(...[0, 5, 10, 15].map((i) => loaded[i] as number))).toBeLessThan(0.6 + 1e-6);
    expect(Math.min(...loaded.subarray(20, 25))).toBeGreaterThanOrEqual(0);
    trainer.dispose();
  }
});

describe('a file that Keras wrote', () => {
  const files = readdirSync(fixtures).filter((name) => /\.(keras|h5)$/.test(name));
  const recordOf = (file: string): Record => {
    const [, name, two] = /^(.*?)(-2)?\.(?:keras|h5)$/.exec(file) ?? [];
    const writer = two === undefined ? 'Keras 3' : 'Keras 2';
    return records.find(([by, of]) => by === writer && of === name)?.[2] as Record;
  };

  it.each(files)('%s has its weights, by the names of the layout', async (file) => {
    const record = recordOf(file);
    const bytes = new Uint8Array(readFileSync(new URL(file, fixtures)));
    const found = await readModelFile([{ name: file, bytes }]);
    expect(found.format).toBe(file.includes('-2.') ? 'keras-2' : 'keras-3');
    const { topology, layout } = await checkModel(found.topology, record.data, 'categoricalCrossentropy');
    expect(topology).toEqual(found.topology);
    const weights = new Map(found.weights?.map(({ name, values }) => [name, values]));
    expect(weights).toEqual(given(record, topology));
    const shapes = new Map(found.weights?.map(({ name, shape }) => [name, shape]));
    for (const { name, shape } of layout) expect(shapes.get(name)).toEqual(shape);
  });
});

it('reads quantized shards as tfjs does', async () => {
  const values = Float32Array.from({ length: 24 }, (_, i) => Math.sin(i));
  const halves = Uint16Array.from({ length: 24 }, (_, i) => 0x3000 + 77 * i);
  const kinds = [
    { dtype: 'uint8' as const, data: Uint8Array.from(values, (x) => (x + 1) * 127), scale: 1 / 127, min: -1 },
    {
      dtype: 'uint16' as const,
      data: Uint16Array.from(values, (x) => (x + 1) * 32_000),
      scale: 1 / 32_000,
      min: -1,
    },
    { dtype: 'float16' as const, data: halves },
  ];
  for (const { data, ...quantization } of kinds) {
    const weights = [
      { name: 'd/kernel', shape: [7, 3], dtype: 'float32' as const, quantization },
      { name: 'd/bias', shape: [3], dtype: 'float32' as const, quantization },
    ];
    const layers = [{ class_name: 'Dense', config: { name: 'd', units: 3, batch_input_shape: [null, 7] } }];
    const modelTopology = { class_name: 'Sequential', config: { name: 'm', layers } };
    const json = JSON.stringify({ modelTopology, weightsManifest: [{ paths: ['w.bin'], weights }] });
    const { weights: found } = await readModelFile([
      { name: 'model.json', bytes: new TextEncoder().encode(json) },
      { name: 'w.bin', bytes: new Uint8Array(data.buffer) },
    ]);
    const wanted = tf.io.decodeWeights(data.buffer, weights as unknown as tf.io.WeightsManifestEntry[]);
    for (const { name, values: read } of found ?? []) {
      const expected = (wanted[name] as tf.Tensor).dataSync();
      for (const [i, value] of read.entries()) expect(value).toBeCloseTo(expected[i] as number, 6);
    }
    expect(found).toHaveLength(2);
  }
});

it('refuses a number that an embedding does not have, naming the example and the layer', async () => {
  const record = records.find(([by, name]) => by === 'Keras 3' && name === 'embedding')?.[2] as Record;
  const { topology } = await checkModel(record.model, record.data, 'categoricalCrossentropy');
  const description = { topology, data: record.data, loss: 'categoricalCrossentropy' as const };
  const trainer = await createTrainer(description, { backend: 'planned', seed: 1 });
  const how = {
    epochs: 1,
    batchSize: 2,
    optimizer: 'sgd' as const,
    learningRate: 0.1,
    shuffleSeed: 'ids',
  };
  const xs = Float32Array.of(0, 1, 2, 3, 4, 9, 5, 6, 7, 8, 0, 1);
  const examples = { count: 2, xs, ys: Float32Array.of(0, 1) };
  expect(await trainer.train(examples, how)).toMatchObject({ steps: 1 });
  for (const wrong of [10, -1, 1e9]) {
    const outside = { ...examples, xs: xs.with(7, wrong) };
    const refusal = {
      code: 'data-invalid',
      message: expect.stringMatching(/^Example 2 .*"embedding".* 0 to 9/),
    };
    await expect(trainer.train(outside, how)).rejects.toMatchObject(refusal);
    await expect(trainer.measure(outside)).rejects.toMatchObject(refusal);
    await expect(trainer.predict(outside.xs, 2)).rejects.toMatchObject(refusal);
  }
  trainer.dispose();
});
