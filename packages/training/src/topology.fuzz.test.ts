import { readTopology } from '@coppice/model-files';
import type { DataSchema } from '@coppice/protocol';
import { anyValue, attempt, mutated, survives } from '@coppice/protocol/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkModel } from './describe-model.ts';
import * as tf from './tf.ts';

const data: DataSchema = { kind: 'image', width: 4, height: 4, channels: 1, classes: ['a', 'b'] };
const dense = { units: 2, activation: 'softmax', name: 'out', kernel_initializer: 'glorotNormal' };
const plain = {
  class_name: 'Sequential',
  config: {
    name: 's',
    layers: [{ class_name: 'Dense', config: { ...dense, batch_input_shape: [null, 16] } }],
  },
};
const convolved = {
  class_name: 'Sequential',
  config: {
    layers: [
      {
        class_name: 'Conv2D',
        config: { filters: 2, kernel_size: [2, 2], strides: 1, batch_input_shape: [null, 4, 4, 1] },
      },
      { class_name: 'MaxPooling2D', config: { pool_size: [2, 2] } },
      { class_name: 'Dropout', config: { rate: 0.5 } },
      { class_name: 'Flatten', config: {} },
      { class_name: 'Dense', config: dense },
    ],
  },
};
const saved = {
  format: 'layers-model',
  modelTopology: { model_config: plain, keras_version: '2' },
  weightsManifest: [
    { paths: ['w.bin'], weights: [{ name: 'out/kernel', shape: [16, 2], dtype: 'float32' }] },
  ],
};

describe('a model that someone brought', () => {
  it('has a topology or is refused by name', () => {
    fc.assert(
      fc.property(fc.oneof({ weight: 4, arbitrary: mutated(plain, saved) }, anyValue), (model) => {
        const result = attempt(() => readTopology(model));
        if ('refused' in result) expect(result.refused.code).toBe('model-invalid');
        else expect(readTopology(result.value)).toEqual(result.value);
      }),
      { numRuns: 1000 },
    );
  });

  it('can be trained or is refused by name, and leaves nothing behind', async () => {
    await survives(() => checkModel(plain, data, 'categoricalCrossentropy'));
    const before = tf.memory().numTensors;
    await fc.assert(
      fc.asyncProperty(mutated(plain, convolved, saved), async (model) => {
        const result = await survives(() => checkModel(model, data, 'categoricalCrossentropy'));
        if ('refused' in result) expect(result.refused.code).toBe('model-invalid');
        expect(tf.memory().numTensors).toBe(before);
      }),
      { numRuns: 150 },
    );
  });

  const layered = (...layers: unknown[]) => ({ class_name: 'Sequential', config: { layers } });
  const first = (class_name: string, config: object) => ({
    class_name,
    config: { ...config, batch_input_shape: [null, 16] },
  });
  it.each([
    ['in one layer', layered(first('Dense', { units: 1e9 }), { class_name: 'Dense', config: dense })],
    [
      'in many',
      layered(
        first('Dense', { units: 3000 }),
        ...Array.from({ length: 12 }, () => ({ class_name: 'Dense', config: { units: 3000 } })),
        { class_name: 'Dense', config: dense },
      ),
    ],
    [
      'between its layers',
      layered(
        first('RepeatVector', { n: 1e9 }),
        { class_name: 'GlobalAveragePooling1D', config: {} },
        { class_name: 'Dense', config: dense },
      ),
    ],
  ])(
    'and would be larger than any may be, %s, is refused before room is made for it',
    async (_where, model) => {
      const before = tf.memory().numTensors;
      await expect(checkModel(model, data, 'categoricalCrossentropy')).rejects.toMatchObject({
        code: 'model-invalid',
      });
      expect(tf.memory().numTensors).toBe(before);
    },
  );
});
