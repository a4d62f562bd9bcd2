import { type DataSchema, type Loss, layoutSize, type Objective } from '@coppice/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTfjsTrainer } from '../tfjs-trainer.ts';
import type { Dataset, LocalTraining, ModelDescription, TfjsBackend, Trainer } from '../trainer.ts';
import { createPlannedTrainer } from './planned-trainer.ts';

/*
 * tfjs is the oracle: from the same weights and batches, the same losses and weights, over random architectures, batch
 * sizes and odd dimensions.
 */
const layer = (class_name: string, config: Record<string, unknown> = {}) => ({ class_name, config });

/** Relative to the weights as a whole: single weights may be close to 0. */
const TOLERANCE = 1e-4;

function describeTable(
  features: number,
  classes: number | null,
  layers: unknown[],
  how: Partial<ModelDescription> = {},
): ModelDescription {
  const data: DataSchema = {
    kind: 'table',
    features: Array.from({ length: features }, (_, i) => ({ name: `f${i}`, mean: 0, scale: 1 })),
    target:
      classes === null
        ? { kind: 'number', name: 'y' }
        : { kind: 'class', name: 'y', classes: Array.from({ length: classes }, (_, i) => `c${i}`) },
  };
  const loss: Loss = classes === null ? 'meanSquaredError' : 'categoricalCrossentropy';
  return { topology: { class_name: 'Sequential', config: { layers } }, data, loss, ...how };
}

function madeUp(count: number, size: number, classes: number | null): Dataset {
  let state = 7;
  const next = () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  return {
    count,
    xs: Float32Array.from({ length: count * size }, () => next() - 0.4),
    ys: Float32Array.from({ length: count }, () =>
      classes === null ? next() : Math.floor(next() * classes),
    ),
  };
}

/** Makes an objective for so many weights. */
type Objectives = (size: number) => Objective;

async function losses(trainer: Trainer, data: Dataset, how: LocalTraining, objective: Objective | null) {
  const seen: number[] = [];
  const { weights, loss } = await trainer.train(data, how, {
    objective,
    onProgress: (progress) => {
      if (progress.step === progress.steps) seen.push(progress.loss as number);
    },
  });
  return { weights, loss, seen };
}

async function expectSame(
  description: ModelDescription,
  data: Dataset,
  how: LocalTraining,
  { backend = 'cpu', objectives }: { backend?: TfjsBackend; objectives?: Objectives } = {},
): Promise<void> {
  const oracle = await createTfjsTrainer(description, { backend, seed: 5 });
  const planned = await createPlannedTrainer(description, { seed: 5 });
  try {
    expect(planned.layout).toEqual(oracle.layout);
    expect(await planned.getWeights()).toEqual(await oracle.getWeights());
    const before = await oracle.getWeights();
    const objective = objectives?.(layoutSize(oracle.layout)) ?? null;
    const expected = await losses(oracle, data, how, objective);
    const actual = await losses(planned, data, how, objective);
    expect(actual.seen).toHaveLength(expected.seen.length);
    for (const [i, loss] of expected.seen.entries()) {
      expect(Math.abs((actual.seen[i] as number) - loss)).toBeLessThan(TOLERANCE * Math.max(1, loss));
    }
    // Against the way that the weights went, which is what is sent.
    expect(difference(actual.weights, expected.weights)).toBeLessThan(
      TOLERANCE * Math.max(difference(expected.weights, before), 1e-3),
    );
    const [a, b] = [await planned.evaluate(data), await oracle.evaluate(data)];
    expect(Math.abs((a.loss as number) - (b.loss as number))).toBeLessThan(
      TOLERANCE * Math.max(1, b.loss as number),
    );
    const [p, q] = [await planned.predict(data.xs, data.count), await oracle.predict(data.xs, data.count)];
    expect(difference(p, q)).toBeLessThan(TOLERANCE * Math.max(1, difference(q, new Float32Array(q.length))));
    const ours = await planned.predictWithFeatures(data.xs, data.count);
    const theirs = await oracle.predictWithFeatures(data.xs, data.count);
    expect(ours.outputs).toEqual(p);
    expect(ours.features?.length).toBe(theirs.features?.length);
    const [f, g] = [ours.features ?? new Float32Array(0), theirs.features ?? new Float32Array(0)];
    expect(difference(f, g)).toBeLessThan(TOLERANCE * Math.max(1, difference(g, new Float32Array(g.length))));
  } finally {
    oracle.dispose();
    planned.dispose();
  }
}

async function expectSameGradient(description: ModelDescription, data: Dataset): Promise<void> {
  const oracle = await createTfjsTrainer(description, { backend: 'cpu', seed: 5 });
  const planned = await createPlannedTrainer(description, { seed: 5 });
  try {
    const before = await oracle.getWeights();
    const expected = await oracle.gradient(data);
    const actual = await planned.gradient(data);
    const size = difference(expected, new Float32Array(expected.length));
    expect(difference(actual, expected)).toBeLessThan(TOLERANCE * Math.max(size, 1e-3));
    // Moving statistics stand still, too.
    expect(await oracle.getWeights()).toEqual(before);
    expect(await planned.getWeights()).toEqual(before);
  } finally {
    oracle.dispose();
    planned.dispose();
  }
}

/** The Euclidean distance. */
function difference(a: Float32Array, b: Float32Array): number {
  return Math.sqrt(a.reduce((sum, x, i) => sum + (x - (b[i] as number)) ** 2, 0));
}

const smooth = fc.constantFrom('sigmoid', 'tanh', 'linear', 'relu', 'softmax');
// |w| has a corner at 0, where a last bit decides which way a weight goes: it is tested by itself, over few steps.
const penalty = fc.option(fc.constant({ class_name: 'L1L2', config: { l1: 0, l2: 0.02 } }));
const hidden = fc.record({
  units: fc.integer({ min: 1, max: 19 }),
  activation: smooth,
  use_bias: fc.boolean(),
  kernel_regularizer: penalty,
  bias_regularizer: penalty,
  trainable: fc.oneof(
    { weight: 4, arbitrary: fc.constant(true) },
    { weight: 1, arbitrary: fc.constant(false) },
  ),
});
const between = fc.oneof(
  { weight: 5, arbitrary: hidden.map((config) => [layer('Dense', config)]) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('relu', 'tanh', 'sigmoid')
      .map((activation) => [layer('Activation', { activation })]),
  },
  { weight: 1, arbitrary: fc.constantFrom(0, 0.25, 0.5).map((rate) => [layer('Dropout', { rate })]) },
  { weight: 1, arbitrary: fc.constant([layer('ReLU')]) },
);
// Adam makes whole steps of a gradient's last bits where it is nothing else: it is tested without penalties of weights that
// are nearly 0, and with nothing that stands before a normalization.
const withoutPenalty = (layers: readonly (readonly ReturnType<typeof layer>[])[]) =>
  layers.map((some) =>
    some.map(({ class_name, config }) =>
      layer(
        class_name,
        class_name === 'Dense' ? { ...config, kernel_regularizer: null, bias_regularizer: null } : config,
      ),
    ),
  );
const network = fc.record({
  features: fc.integer({ min: 1, max: 21 }),
  classes: fc.option(fc.integer({ min: 2, max: 11 })),
  layers: fc.array(between, { maxLength: 3 }),
  head: fc.constantFrom('one', 'apart'),
  count: fc.integer({ min: 1, max: 40 }),
  batchSize: fc.integer({ min: 1, max: 13 }),
  optimizer: fc.constantFrom('sgd', 'momentum', 'adam'),
});

const window = (most: number) =>
  fc.tuple(fc.integer({ min: 1, max: most }), fc.integer({ min: 1, max: most }));
const padding = fc.constantFrom('same', 'valid');
const pictureLayer = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .record({
        filters: fc.integer({ min: 1, max: 9 }),
        kernel_size: window(3),
        strides: window(2),
        padding,
        // No corners: where a number is 0 but for its last bits, they would decide which way a gradient goes.
        activation: fc.constantFrom('tanh', 'sigmoid', 'linear'),
        use_bias: fc.boolean(),
      })
      .map((config) => layer('Conv2D', config)),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({ pool_size: window(2), strides: window(2), padding })
      .map((config) => layer('MaxPooling2D', config)),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({ pool_size: window(2), strides: window(2), padding: fc.constant('valid') })
      .map((config) => layer('AveragePooling2D', config)),
  },
  { weight: 1, arbitrary: fc.constant(layer('BatchNormalization', { momentum: 0.9 })) },
  { weight: 1, arbitrary: fc.constant(layer('Dropout', { rate: 0.3 })) },
);
/** Whether a picture is left after each layer: no window is larger than what it slides over. */
const leavesPictures = ({
  height,
  width,
  layers,
}: {
  height: number;
  width: number;
  layers: ReturnType<typeof layer>[];
}) => {
  let sizes = [height, width];
  for (const { config } of layers) {
    const window = (config['kernel_size'] ?? config['pool_size']) as number[] | undefined;
    const strides = config['strides'] as number[] | undefined;
    if (window === undefined || strides === undefined) continue;
    const reach = config['padding'] === 'valid' ? window : [1, 1];
    sizes = sizes.map((size, i) => Math.floor((size - (reach[i] as number)) / (strides[i] as number)) + 1);
    if (sizes.some((size) => size < 1)) return false;
  }
  return true;
};
const adamOfNothing = ({ layers, optimizer }: { layers: { class_name: string }[]; optimizer: string }) =>
  optimizer === 'adam' && layers.some(({ class_name }) => class_name === 'BatchNormalization');
const pictureNetwork = fc
  .record({
    width: fc.integer({ min: 9, max: 13 }),
    height: fc.integer({ min: 9, max: 13 }),
    channels: fc.constantFrom(1 as const, 3 as const),
    layers: fc.array(pictureLayer, { minLength: 1, maxLength: 3 }),
    end: fc.constantFrom('Flatten', 'GlobalAveragePooling2D'),
    count: fc.integer({ min: 2, max: 9 }),
    batchSize: fc.integer({ min: 2, max: 5 }),
    optimizer: fc.constantFrom('sgd' as const, 'momentum' as const, 'adam' as const),
  })
  .filter(leavesPictures)
  .map((all) => (adamOfNothing(all) ? { ...all, optimizer: 'sgd' as const } : all));

/**
 * The same networks in every run: once in a few hundred, a last bit decides on which side of a corner (of ReLU, of a pool's
 * largest) a number lies, and two right ways part.
 */
const runs = { numRuns: 40, seed: 2026 };

type DrawnNetwork = typeof network extends fc.Arbitrary<infer T> ? T : never;
type DrawnPictures = typeof pictureNetwork extends fc.Arbitrary<infer T> ? T : never;

function denseLayers(
  drawn: Pick<DrawnNetwork, 'features' | 'classes' | 'layers' | 'head' | 'optimizer'>,
): ReturnType<typeof layer>[] {
  const { features, classes, layers, head, optimizer } = drawn;
  const units = classes ?? 1;
  const last =
    classes === null
      ? [layer('Dense', { units })]
      : head === 'one'
        ? [layer('Dense', { units, activation: 'softmax' })]
        : [layer('Dense', { units }), layer('Softmax')];
  return [
    layer('InputLayer', { batch_input_shape: [null, features] }),
    ...(optimizer === 'adam' ? withoutPenalty(layers) : layers).flat(),
    ...last,
  ];
}

function describePictures(
  drawn: Pick<DrawnPictures, 'width' | 'height' | 'channels' | 'layers' | 'end'>,
): ModelDescription {
  const { width, height, channels, layers, end } = drawn;
  const all = [
    layer('InputLayer', { batch_input_shape: [null, height, width, channels] }),
    ...layers,
    layer(end),
    layer('Dense', { units: 3, activation: 'softmax' }),
  ];
  return {
    topology: { class_name: 'Sequential', config: { layers: all } },
    data: { kind: 'image', width, height, channels, classes: ['a', 'b', 'c'] },
    loss: 'categoricalCrossentropy',
  };
}

/** At least so many steps. */
const epochsFor = (steps: number, count: number, batchSize: number) =>
  Math.ceil(steps / Math.ceil(count / batchSize));

/** Numbers between −1 and 1 that are the same each time. */
const waves = (size: number, seed: number) =>
  Float32Array.from({ length: size }, (_, i) => Math.sin(1 + seed + i * (1.3 + 0.01 * seed)));
const proximal: Objectives = (size) => ({ scale: 1, pull: 2, anchor: waves(size, 1), offset: null });
const objectives: fc.Arbitrary<Objectives> = fc
  .record({
    scale: fc.oneof(fc.constantFrom(1, 'vector' as const), fc.double({ min: 0.1, max: 1.5, noNaN: true })),
    pull: fc.oneof(fc.constant(0), fc.double({ min: 0.05, max: 2, noNaN: true })),
    anchored: fc.boolean(),
    offset: fc.boolean(),
    seed: fc.integer({ min: 0, max: 99 }),
  })
  .map(({ scale, pull, anchored, offset, seed }) => (size) => ({
    scale: scale === 'vector' ? waves(size, seed).map((x) => 0.8 + 0.6 * x) : scale,
    pull,
    anchor: anchored ? waves(size, seed + 1) : null,
    offset: offset ? waves(size, seed + 2) : null,
  }));

describe('the planned trainer goes where tfjs goes', () => {
  it('with dense networks, over 100 steps', async () => {
    await fc.assert(
      fc.asyncProperty(network, async ({ features, classes, layers, head, count, batchSize, optimizer }) => {
        const all = denseLayers({ features, classes, layers, head, optimizer });
        const how: LocalTraining = {
          epochs: epochsFor(100, count, batchSize),
          batchSize,
          optimizer,
          learningRate: optimizer === 'adam' ? 0.001 : 0.01,
          shuffleSeed: 's',
        };
        await expectSame(describeTable(features, classes, all), madeUp(count, features, classes), how);
      }),
      runs,
    );
  });

  const losses = fc.oneof(
    fc.constant({ loss: 'binaryCrossentropy' as const, classes: 2, units: 1 }),
    fc.constant({ loss: 'huber' as const, classes: null, units: 1 }),
    fc.integer({ min: 2, max: 5 }).map((units) => ({ loss: 'huber' as const, classes: null, units })),
    fc
      .integer({ min: 2, max: 5 })
      .map((units) => ({ loss: 'meanSquaredError' as const, classes: null, units })),
    fc
      .integer({ min: 2, max: 6 })
      .map((classes) => ({ loss: 'categoricalCrossentropy' as const, classes, units: classes })),
  );
  const withLoss = fc.record({
    drawn: network,
    of: losses,
    weights: fc.option(
      fc.array(fc.double({ min: 0.1, max: 4, noNaN: true }), { minLength: 6, maxLength: 6 }),
    ),
    // Within the errors that are met, so that both parts of the loss are.
    delta: fc.constantFrom(undefined, 0.2, 0.5),
  });
  type WithLoss = typeof withLoss extends fc.Arbitrary<infer T> ? T : never;
  const described = ({ drawn, of, weights, delta }: WithLoss) => {
    const activation = { binaryCrossentropy: 'sigmoid', categoricalCrossentropy: 'softmax' };
    const head = of.loss in activation ? activation[of.loss as keyof typeof activation] : 'linear';
    const { features, layers, optimizer, count } = drawn;
    const all = [
      layer('InputLayer', { batch_input_shape: [null, features] }),
      ...(optimizer === 'adam' ? withoutPenalty(layers) : layers).flat(),
      ...(drawn.head === 'one'
        ? [layer('Dense', { units: of.units, activation: head })]
        : [layer('Dense', { units: of.units }), layer('Activation', { activation: head })]),
    ];
    const how = {
      loss: of.loss,
      ...(of.loss === 'huber' ? { huberDelta: delta } : {}),
      ...(of.classes === null || weights === null ? {} : { classWeights: weights.slice(0, of.classes) }),
    };
    const columns = Array.from({ length: of.units }, (_, i) => ({ name: `y${i}` }));
    const description = describeTable(features, of.classes, all, how);
    const { data } = description;
    return {
      description:
        of.classes !== null || of.units === 1 || data.kind === 'image'
          ? description
          : { ...description, data: { ...data, target: { kind: 'numbers', name: 'y', columns } as const } },
      dataOf: (times: number): Dataset => {
        const one = madeUp(times * count, features, of.classes);
        if (of.classes !== null) return one;
        return { ...one, ys: madeUp(times * count * of.units, 1, null).ys };
      },
    };
  };

  it('with every loss, class weights and several outputs, over 60 steps', async () => {
    await fc.assert(
      fc.asyncProperty(withLoss, async (drawn) => {
        const { description, dataOf } = described(drawn);
        const { count, batchSize, optimizer } = drawn.drawn;
        const how: LocalTraining = {
          epochs: epochsFor(60, count, batchSize),
          batchSize,
          optimizer,
          learningRate: optimizer === 'adam' ? 0.001 : 0.01,
          shuffleSeed: 's',
        };
        await expectSame(description, dataOf(1), how);
      }),
      { ...runs, numRuns: 60 },
    );
  });

  it('by the gradients of every loss at fixed weights', async () => {
    await fc.assert(
      fc.asyncProperty(withLoss, async (drawn) => {
        const { description, dataOf } = described(drawn);
        await expectSameGradient(description, dataOf(4));
      }),
      runs,
    );
  });

  it('with an L1 penalty, from weights and biases that are 0 too', async () => {
    const regularizer = { class_name: 'L1L2', config: { l1: 0.05, l2: 0.01 } };
    const penalised = { kernel_regularizer: regularizer, bias_regularizer: regularizer };
    const layers = [
      layer('Dense', { units: 7, activation: 'tanh', batch_input_shape: [null, 5], ...penalised }),
      layer('Dense', { units: 3, activation: 'softmax', ...penalised }),
    ];
    for (const optimizer of ['sgd', 'momentum', 'adam'] as const) {
      const how = { epochs: 1, batchSize: 4, optimizer, learningRate: 0.01, shuffleSeed: 's' };
      await expectSame(describeTable(5, 3, layers), madeUp(10, 5, 3), how);
    }
  });

  it("with FedProx's term, over several rounds of steps, penalties and normalizations too", async () => {
    const regularizer = { class_name: 'L1L2', config: { l1: 0, l2: 0.05 } };
    const layers = [
      layer('Dense', { units: 7, activation: 'tanh', batch_input_shape: [null, 5] }),
      layer('BatchNormalization'),
      layer('Dense', { units: 6, activation: 'sigmoid', kernel_regularizer: regularizer }),
      layer('Dense', { units: 3, activation: 'softmax', bias_regularizer: regularizer }),
    ];
    for (const optimizer of ['sgd', 'momentum'] as const) {
      const how = { epochs: 20, batchSize: 4, optimizer, learningRate: 0.1, shuffleSeed: 's' };
      await expectSame(describeTable(5, 3, layers), madeUp(10, 5, 3), how, { objectives: proximal });
    }
    const plain = layers.filter(({ class_name }) => class_name === 'Dense');
    const how = {
      epochs: 5,
      batchSize: 4,
      optimizer: 'adam',
      learningRate: 0.001,
      shuffleSeed: 's',
    } as const;
    await expectSame(describeTable(5, 3, plain), madeUp(10, 5, 3), how, { objectives: proximal });
  });

  it('with objectives of all kinds, over dense networks and 60 steps', async () => {
    await fc.assert(
      fc.asyncProperty(network, objectives, async (drawn, objectives) => {
        const { features, classes, count, batchSize, optimizer } = drawn;
        const how: LocalTraining = {
          epochs: epochsFor(60, count, batchSize),
          batchSize,
          optimizer,
          learningRate: optimizer === 'adam' ? 0.001 : 0.01,
          shuffleSeed: 's',
        };
        const description = describeTable(features, classes, denseLayers(drawn));
        await expectSame(description, madeUp(count, features, classes), how, { objectives });
      }),
      { ...runs, numRuns: 90 },
    );
  });

  it('by the gradients of dense networks at fixed weights', async () => {
    await fc.assert(
      fc.asyncProperty(network, async (drawn) => {
        const { features, classes, count } = drawn;
        const description = describeTable(features, classes, denseLayers(drawn));
        await expectSameGradient(description, madeUp(4 * count, features, classes));
      }),
      runs,
    );
  });

  it('by the gradients of convolutional and normalizing networks at fixed weights', async () => {
    await fc.assert(
      fc.asyncProperty(pictureNetwork, async (drawn) => {
        const { width, height, channels } = drawn;
        await expectSameGradient(describePictures(drawn), madeUp(107, width * height * channels, 3));
      }),
      { ...runs, numRuns: 15 },
    );
  });

  it('with convolutions, pooling and batch normalization, padded and not, with strides', async () => {
    await fc.assert(
      fc.asyncProperty(
        pictureNetwork,
        async ({ width, height, channels, layers, end, count, batchSize, optimizer }) => {
          const description = describePictures({ width, height, channels, layers, end });
          const how: LocalTraining = {
            epochs: epochsFor(12, count, batchSize),
            batchSize,
            optimizer,
            learningRate: optimizer === 'adam' ? 0.001 : 0.01,
            shuffleSeed: 's',
          };
          await expectSame(description, madeUp(count, width * height * channels, 3), how);
        },
      ),
      runs,
    );
  });

  const digits: DataSchema = {
    kind: 'image',
    width: 28,
    height: 28,
    channels: 1,
    classes: Array.from({ length: 10 }, (_, i) => String(i)),
  };
  const softmax = layer('Dense', { units: 10, activation: 'softmax' });
  const relu = (units: number) => layer('Dense', { units, activation: 'relu' });
  const convolution = (filters: number) =>
    layer('Conv2D', { filters, kernel_size: 5, padding: 'same', activation: 'relu' });
  it.each([
    ['dense network', 100, [784], [relu(200), relu(200), softmax]],
    [
      'convolutional network',
      10,
      [28, 28, 1],
      [
        convolution(16),
        layer('MaxPooling2D'),
        convolution(24),
        layer('MaxPooling2D'),
        layer('Flatten'),
        relu(64),
        softmax,
      ],
    ],
  ] as const)('with a %s of the usual size, over %i steps', async (_, steps, shape, layers) => {
    const input = layer('InputLayer', { batch_input_shape: [null, ...shape] });
    const topology = { class_name: 'Sequential', config: { layers: [input, ...layers] } };
    const how = { epochs: 1, batchSize: 10, optimizer: 'sgd', learningRate: 0.05, shuffleSeed: 's' } as const;
    const description = { topology, data: digits, loss: 'categoricalCrossentropy' } as const;
    // The last batch is smaller.
    await expectSame(description, madeUp(steps * 10 - 3, 784, 10), how, { backend: 'wasm' });
  });
});
