import { expect, it } from 'vitest';
import { useBackend } from './backends.ts';
import { fastestBackend } from './fastest-backend.ts';
import * as tf from './tf.ts';
import type { ModelDescription } from './trainer.ts';

const description = (units: number): ModelDescription => ({
  topology: {
    class_name: 'Sequential',
    config: {
      layers: [
        { class_name: 'Dense', config: { units, activation: 'softmax', batch_input_shape: [null, 2] } },
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

it('finds the backend that works where only one does, and leaves nothing behind', async () => {
  // Node has no WebGL, so WASM is left.
  await useBackend('wasm');
  const before = tf.memory().numTensors;
  const found = await fastestBackend(description(2), { batchSize: 4 });
  expect(found.backend).toBe('wasm');
  expect(found.millisecondsPerStep).toBeGreaterThan(0);
  expect(tf.memory().numTensors).toBe(before);
});

it('falls back on plain JavaScript where nothing else can train the model', async () => {
  expect(await fastestBackend(description(3), { batchSize: 4 })).toEqual({
    backend: 'cpu',
    millisecondsPerStep: null,
  });
});

it('says which backend is not there', async () => {
  await expect(useBackend('webgl')).rejects.toMatchObject({
    code: 'backend-unavailable',
    message: expect.stringContaining('webgl'),
  });
});
