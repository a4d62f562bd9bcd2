import { defaultPlan, type Task } from '@coppice/protocol';
import type { NewRun } from './storage.ts';

/** A run for tests: of the task `toy`, with these weights, without strategy state. */
export function newRun(weights: Float32Array, change: Partial<NewRun['run']> = {}): NewRun {
  return {
    run: {
      task: toyTask,
      plan: defaultPlan,
      status: 'running',
      createdAt: 1,
      endedAt: null,
      reason: null,
      from: null,
      cause: { by: 'admin', name: 'a test' },
      ...change,
    },
    admission: 'open',
    model: { weights, state: { values: {}, tensors: {} }, central: null },
  };
}

export const toyTask: Task = {
  id: 'toy',
  title: { en: 'Toy' },
  description: { en: 'A toy.' },
  data: {
    kind: 'table',
    features: [{ name: 'x', mean: 0, scale: 1 }],
    target: { kind: 'number', name: 'y' },
  },
  model: { class_name: 'Sequential', config: {} },
  loss: 'meanSquaredError',
  samples: false,
  heldOut: 0.1,
  planDefaults: {},
};
