import type { DataSchema, Topology } from '@coppice/protocol';
import { mutated } from '@coppice/protocol/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ModelDescription } from '../trainer.ts';
import type { Chain } from './chain.ts';
import { NotPlanned } from './layer.ts';
import { readPlain } from './read-plain.ts';
import { readWithTfjs } from './read-with-tfjs.ts';

/* tfjs is the oracle: what is read here is what it would build, or nothing. */
const layer = (class_name: string, config: Record<string, unknown> = {}) => ({ class_name, config });
const sequential = (...layers: unknown[]) => ({ class_name: 'Sequential', config: { layers } });
const picture: DataSchema = { kind: 'image', width: 11, height: 9, channels: 3, classes: ['a', 'b', 'c'] };
const input = layer('InputLayer', { batch_input_shape: [null, 9, 11, 3] });
const head = layer('Dense', { units: 3, activation: 'softmax' });
const classify = (topology: unknown): ModelDescription => ({
  topology: topology as Topology,
  data: picture,
  loss: 'categoricalCrossentropy',
});

function expectSame(plain: Chain, built: Chain): void {
  expect({ ...plain, layers: [] }).toEqual({ ...built, layers: [] });
  expect(plain.layers.map(({ config: _, ...rest }) => rest)).toEqual(
    built.layers.map(({ config: _, ...rest }) => rest),
  );
  for (const [i, { config }] of plain.layers.entries()) {
    const all = built.layers[i]?.config as Record<string, unknown>;
    expect(all).toMatchObject(config);
    // What is not read must not matter.
    const rules = Object.entries(all).filter(([key]) =>
      /(Regularizer|Constraint|maxValue|noiseShape)$/.test(key),
    );
    for (const [key, value] of rules) expect(value ?? null, key).toBeNull();
  }
}

const window = fc.oneof(
  fc.integer({ min: 1, max: 3 }),
  fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
);
const some = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const activation = fc.constantFrom('linear', 'relu', 'sigmoid', 'tanh', 'softmax');
const initializer = fc.constantFrom(null, 'zeros', 'heNormal', 'glorot_uniform', {
  class_name: 'RandomNormal',
  config: { stddev: 0.1 },
});
const products = {
  activation: some(activation),
  use_bias: some(fc.boolean()),
  kernel_initializer: some(initializer),
  bias_initializer: some(fc.constantFrom('zeros', { class_name: 'Ones', config: {} })),
  kernel_regularizer: some(fc.constant(null)),
  bias_constraint: some(fc.constant(null)),
  trainable: some(fc.boolean()),
  dtype: some(fc.constant('float32')),
};
const sliding = {
  strides: some(window),
  padding: some(fc.constantFrom('same', 'valid')),
  data_format: some(fc.constant('channels_last')),
};
const any = (class_name: string, config: Record<string, fc.Arbitrary<unknown>>) =>
  fc.record(config).map((made) => layer(class_name, JSON.parse(JSON.stringify(made))));
const body = fc.array(
  fc.oneof(
    any('Conv2D', {
      filters: fc.integer({ min: 1, max: 5 }),
      kernel_size: window,
      dilation_rate: some(fc.constantFrom(1, [1, 1])),
      ...products,
      ...sliding,
    }),
    any('MaxPooling2D', { pool_size: some(window), ...sliding, strides: some(fc.option(window)) }),
    any('AveragePooling2D', { pool_size: some(window), ...sliding }),
    any('BatchNormalization', {
      axis: some(fc.constantFrom(-1, 3)),
      momentum: some(fc.constant(0.8)),
      epsilon: some(fc.constant(0.01)),
      scale: some(fc.boolean()),
      center: some(fc.boolean()),
      gamma_initializer: some(initializer),
      trainable: some(fc.boolean()),
    }),
    any('Dense', { units: fc.integer({ min: 1, max: 7 }), ...products }),
    any('Dropout', { rate: fc.constantFrom(0, 0.3, 1), seed: some(fc.constantFrom(null, 7)) }),
    any('Activation', { activation }),
    any('ReLU', { max_value: some(fc.constant(null)) }),
    any('Softmax', { axis: some(fc.constant(-1)) }),
  ),
  { maxLength: 4 },
);
const end = fc.constantFrom('Flatten', 'GlobalAveragePooling2D');

describe('a plain chain of layers', () => {
  it('is read as tfjs builds it, whatever of a layer is said and what is left out', async () => {
    let read = 0;
    await fc.assert(
      fc.asyncProperty(body, end, async (layers, last) => {
        const description = classify(sequential(input, ...layers, layer(last), head));
        const plain = readPlain(description);
        if (plain === null) {
          // A window may be larger than what is left of the picture: tfjs refuses it, or nothing is left then.
          const built = await readWithTfjs(description).catch(() => null);
          const sizes = built?.layers.flatMap(({ outputShape }) => outputShape) ?? [0];
          expect(sizes.some((size) => size < 1)).toBe(true);
          return;
        }
        read++;
        expectSame(plain, await readWithTfjs(description));
      }),
      { numRuns: 200 },
    );
    expect(read).toBeGreaterThan(50);
  });

  const deep = sequential(
    layer('Conv2D', { filters: 2, kernel_size: [3, 3], strides: 1, batch_input_shape: [null, 9, 11, 3] }),
    layer('BatchNormalization', { momentum: 0.9, epsilon: 0.001, axis: 3 }),
    layer('MaxPooling2D', { pool_size: [2, 2], strides: [2, 2], padding: 'same' }),
    layer('Dropout', { rate: 0.5 }),
    layer('Reshape', { target_shape: [40] }),
    layer('Dense', { units: 4, activation: 'relu', kernel_initializer: 'glorotNormal', name: 'hidden' }),
    layer('Dense', { units: 3, activation: 'linear' }),
    layer('Softmax', { axis: -1 }),
  );
  const flat = sequential(
    layer('Flatten', { batch_input_shape: [null, 9, 11, 3], dtype: 'float32' }),
    layer('Dense', { units: 2, use_bias: false, trainable: false, activation: 'tanh' }),
    layer('ReLU', { max_value: null }),
    layer('Activation', { activation: 'sigmoid' }),
    head,
  );

  it('is read as tfjs builds it, or left to it, however it is spoilt', async () => {
    expect(readPlain(classify(deep))).not.toBeNull();
    expect(readPlain(classify(flat))).not.toBeNull();
    let read = 0;
    await fc.assert(
      fc.asyncProperty(mutated(deep, flat), async (topology) => {
        const description = classify(topology);
        let plain: Chain | null;
        try {
          plain = readPlain(description);
        } catch (thrown) {
          expect(thrown).toMatchObject({ code: 'model-invalid' });
          return;
        }
        if (plain === null) return;
        read++;
        expectSame(plain, await readWithTfjs(description));
      }),
      { numRuns: 2000 },
    );
    expect(read).toBeGreaterThan(10);
  });

  it.each([
    ['a setting that nobody here knows', layer('Dense', { units: 3, glow: true })],
    [
      'a penalty',
      layer('Dense', { units: 3, kernel_regularizer: { class_name: 'L1L2', config: { l2: 1 } } }),
    ],
    ['a constraint', layer('Dense', { units: 3, bias_constraint: { class_name: 'NonNeg', config: {} } })],
    ['camel case', layer('Dense', { units: 3, useBias: false })],
    ['channels first', layer('Flatten', { data_format: 'channels_first' })],
    ['a bounded ReLU', layer('ReLU', { max_value: 6 })],
    ['dilation', layer('Conv2D', { filters: 1, kernel_size: 2, dilation_rate: 2 })],
    ['numbers of another type', layer('Flatten', { dtype: 'int32' })],
    ['another activation', layer('Activation', { activation: 'selu' })],
    ['another layer', layer('LeakyReLU')],
    ['an initializer of its own', layer('Dense', { units: 3, kernel_initializer: 'mine' })],
  ])('is left to tfjs with %s', (_, odd) => {
    expect(readPlain(classify(sequential(input, odd, layer('Flatten'), head)))).toBeNull();
  });

  it.each([
    ['no layers', sequential()],
    ['no shape of inputs', sequential(layer('Flatten'), head)],
    ['a fixed batch', sequential(layer('Flatten', { batch_input_shape: [4, 9, 11, 3] }), head)],
    [
      'inputs that are not the data',
      sequential(layer('Flatten', { batch_input_shape: [null, 3, 9, 11] }), head),
    ],
    [
      'other outputs',
      sequential(input, layer('Flatten'), layer('Dense', { units: 4, activation: 'softmax' })),
    ],
    ['no softmax', sequential(input, layer('Flatten'), layer('Dense', { units: 3 }))],
    [
      'nothing to learn',
      sequential(input, layer('Flatten'), layer('Dense', { ...head.config, trainable: false })),
    ],
    [
      'two layers of one name',
      sequential(input, layer('Flatten', { name: 'x' }), layer('Dense', { ...head.config, name: 'x' })),
    ],
    [
      'more than the largest model',
      sequential(
        input,
        layer('Flatten'),
        layer('Dense', { units: 1e6 }),
        layer('Dense', { units: 1e6 }),
        head,
      ),
    ],
  ])('is left to tfjs, which refuses it, with %s', async (_, topology) => {
    expect(readPlain(classify(topology))).toBeNull();
    const refused = await readWithTfjs(classify(topology)).catch((thrown: unknown) => thrown);
    expect(refused).not.toBeInstanceOf(NotPlanned);
    expect(refused).toMatchObject({ code: 'model-invalid' });
  });
});
