import { expect, it } from 'vitest';
import { useBackend } from './backends.ts';
import { createTrainer } from './create-trainer.ts';
import { rankBackends } from './rank-backends.ts';
import * as tf from './tf.ts';
import type { ModelDescription, Trainer } from './trainer.ts';

const description = (units: number, activation = 'relu'): ModelDescription => ({
  topology: {
    class_name: 'Sequential',
    config: {
      layers: [
        { class_name: 'Dense', config: { units: 6, activation, batch_input_shape: [null, 2] } },
        { class_name: 'Dense', config: { units, activation: 'softmax' } },
      ],
    },
  },
  data: {
    kind: 'table',
    features: ['a', 'b'].map((name) => ({ name, mean: 0, scale: 1 })),
    target: { kind: 'class', name: 'c', classes: ['x', 'y'] },
  },
  loss: 'categoricalCrossentropy',
});

const names = async (...args: Parameters<typeof rankBackends>) =>
  (await rankBackends(...args)).map(({ backend }) => backend);

it('ranks the backends that work, and leaves nothing behind', async () => {
  // Node has neither WebGL nor WebGPU.
  await useBackend('wasm');
  const before = tf.memory().numTensors;
  const ranked = await rankBackends(description(2), { batchSize: 4 });
  expect(ranked.map(({ backend }) => backend).sort()).toEqual(['planned', 'wasm']);
  for (const { millisecondsPerStep } of ranked) expect(millisecondsPerStep).toBeGreaterThan(0);
  expect(ranked.map((one) => one.millisecondsPerStep)).toEqual(
    ranked.map((one) => one.millisecondsPerStep).sort((a, b) => a - b),
  );
  expect(tf.memory().numTensors).toBe(before);
});

it('does without a plan for a model that has none, and says why', async () => {
  // There are no kernels for this activation.
  expect(await names(description(2, 'elu'), { batchSize: 4 })).toEqual(['wasm']);
  const trainer = await createTrainer(description(2, 'elu'), { backend: 'planned', seed: 0 });
  expect(trainer.backend).toBe('wasm');
  expect(trainer.note).toMatch(/Dense.*elu/);
  trainer.dispose();
});

it('names none for a model that none can train', async () => {
  expect(await names(description(3), { batchSize: 4 })).toEqual([]);
});

/** A trainer that goes wrong in one way. */
function broken(trainer: Trainer, how: 'loss' | 'gradient' | 'frozen layer' | 'nan'): Trainer {
  return {
    backend: trainer.backend,
    layout: trainer.layout,
    getWeights: () => trainer.getWeights(),
    setWeights: (weights) => trainer.setWeights(weights),
    async train(data, plan, options) {
      const before = await trainer.getWeights();
      const result = await trainer.train(data, plan, options);
      const weights = result.weights.map((weight, i) => {
        const old = before[i] as number;
        if (how === 'gradient') return old + 1.1 * (weight - old);
        // The first of the two layers.
        return how === 'frozen layer' && i < 18 ? old : weight;
      });
      const loss = how === 'loss' ? result.loss * 1.01 : how === 'nan' ? Number.NaN : result.loss;
      return { ...result, weights, loss };
    },
    gradient: (data, options) => trainer.gradient(data, options),
    measure: (data) => trainer.measure(data),
    evaluate: (data) => trainer.evaluate(data),
    predict: (xs, count) => trainer.predict(xs, count),
    predictWithFeatures: (xs, count) => trainer.predictWithFeatures(xs, count),
    dispose: () => trainer.dispose(),
  };
}

it.each(['loss', 'gradient', 'frozen layer', 'nan'] as const)(
  'never names a backend that computes something else: %s',
  async (how) => {
    const make: typeof createTrainer = async (model, options) => {
      const trainer = await createTrainer(model, options);
      return options.backend === 'planned' ? broken(trainer, how) : trainer;
    };
    expect(await names(description(2), { batchSize: 4 }, make)).toEqual(['wasm']);
  },
);

it.each(['loss', 'gradient', 'frozen layer', 'nan'] as const)(
  'takes no other backend for right because it is tfjs: %s',
  async (how) => {
    const make: typeof createTrainer = async (model, options) => {
      const trainer = await createTrainer(model, options);
      return options.backend === 'wasm' ? broken(trainer, how) : trainer;
    };
    expect(await names(description(2), { batchSize: 4 }, make)).toEqual(['planned']);
  },
);

it('asks plain JavaScript where all go wrong alike', async () => {
  const make: typeof createTrainer = async (model, options) => {
    const trainer = await createTrainer(model, options);
    if (options.backend === 'cpu') return trainer;
    const evaluate: Trainer['evaluate'] = async (data) => {
      const metrics = await trainer.evaluate(data);
      return { ...metrics, loss: (metrics.loss as number) * 1.1 };
    };
    return { ...broken(trainer, 'gradient'), evaluate };
  };
  expect(await names(description(2), { batchSize: 4 }, make)).toEqual([]);
});

it.each(['webgl', 'webgpu'] as const)('says which backend is not there: %s', async (name) => {
  await expect(useBackend(name)).rejects.toMatchObject({
    code: 'backend-unavailable',
    message: expect.stringContaining(name),
  });
});

it('measures no emulated graphics processor where the processor itself has a backend', async () => {
  const made: string[] = [];
  const make: typeof createTrainer = (model, options) => {
    made.push(String(options.backend));
    return createTrainer(model, options);
  };
  const emulated = async (backend: string) => backend === 'webgl';
  expect((await names(description(2), { batchSize: 4 }, make, emulated)).sort()).toEqual(['planned', 'wasm']);
  expect(made).not.toContain('webgl');
  expect(made).toContain('webgpu');
});

it('measures an emulated graphics processor where nothing else works', async () => {
  const made: string[] = [];
  const make: typeof createTrainer = (_, options) => {
    made.push(String(options.backend));
    return Promise.reject(new Error('it did not start'));
  };
  expect(await names(description(2), { batchSize: 4 }, make, async () => true)).toEqual([]);
  expect(made).toEqual(['planned', 'wasm', 'webgpu', 'webgl']);
});
