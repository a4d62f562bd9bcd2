import type * as Kernels from '@coppice/kernels';
import { expect, it, vi } from 'vitest';
import { rankBackends } from '../rank-backends.ts';
import type { ModelDescription } from '../trainer.ts';
import { createPlannedTrainer } from './planned-trainer.ts';

/* A machine whose kernels are wrong, one at a time: as a faulty engine, or a mistake of ours, might have it. */
let wrong = '';
vi.mock('@coppice/kernels', async (importOriginal) => {
  const original = await importOriginal<typeof Kernels>();
  const kernelInstance: typeof original.kernelInstance = (bytes, variant) => {
    const instance = original.kernelInstance(bytes, variant);
    const kernels = {
      ...instance.kernels,
      ...(wrong === '' || wrong === 'memory' ? {} : { [wrong]: () => Number.NaN }),
    };
    const reserve = (bytes: number) => {
      if (wrong === 'memory') throw new RangeError('no more memory');
      instance.reserve(bytes);
    };
    return Object.create(instance, { kernels: { value: kernels }, reserve: { value: reserve } });
  };
  return { ...original, kernelInstance };
});

const layer = (class_name: string, config: object = {}) => ({ class_name, config });
const description: ModelDescription = {
  topology: {
    class_name: 'Sequential',
    config: {
      layers: [
        layer('Conv2D', { filters: 3, kernel_size: 3, padding: 'same', batch_input_shape: [null, 6, 6, 1] }),
        layer('BatchNormalization'),
        layer('ReLU'),
        layer('MaxPooling2D'),
        layer('AveragePooling2D', { pool_size: 2, strides: 1 }),
        layer('Flatten'),
        layer('Dense', { units: 5, activation: 'tanh' }),
        layer('Dense', { units: 4, activation: 'sigmoid' }),
        layer('Dense', { units: 3, activation: 'softmax' }),
      ],
    },
  },
  data: { kind: 'image', width: 6, height: 6, channels: 1, classes: ['a', 'b', 'c'] },
  loss: 'categoricalCrossentropy',
};

const planned = async () =>
  (await rankBackends(description, { batchSize: 2 })).some(({ backend }) => backend === 'planned');

it('is chosen with kernels that are right', async () => {
  wrong = '';
  expect(await planned()).toBe(true);
});

it.each([
  'matmul',
  'matmulTransposedA',
  'matmulTransposedB',
  'columnSums',
  'relu',
  'reluGradient',
  'tanh',
  'tanhGradient',
  'sigmoid',
  'sigmoidGradient',
  'softmaxCrossEntropy',
  'im2col',
  'maxPool',
  'maxPoolGradient',
  'averagePool',
  'averagePoolGradient',
  'columnMoments',
  'normalize',
  'normalizeGradient',
])('is not chosen where %s does nothing', async (kernel) => {
  wrong = kernel;
  expect(await planned()).toBe(false);
});

it('is lost, for another to take its place, where there is no memory for its plan', async () => {
  wrong = 'memory';
  expect(await planned()).toBe(false);
  const trainer = await createPlannedTrainer(description, { seed: 1 });
  const weights = await trainer.getWeights();
  expect(weights.every(Number.isFinite)).toBe(true);
  await expect(trainer.predict(new Float32Array(36), 1)).rejects.toMatchObject({ code: 'backend-lost' });
});
