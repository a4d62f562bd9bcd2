import { defaultPlan, type Task, weightsHash } from '@coppice/protocol';
import type { NewRelease } from './release-storage.ts';
import type { Commit, NewRun, RunRecord } from './storage.ts';

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

/** A commit for tests: a model of a run, without the record of the round that made it. */
export function newModel(run: RunRecord, round: number, weights: Float32Array): Commit {
  return {
    run: null,
    round: null,
    model: {
      weights,
      state: { values: {}, tensors: {} },
      checkpoint: {
        hash: weightsHash(weights),
        run: run.id,
        task: run.task.id,
        round,
        parent: null,
        createdAt: round,
        central: null,
        federated: null,
        parameters: weights.length,
      },
    },
  };
}

/** A move of a channel for tests: left out, the first of production of the task `toy`. */
export function newMove(change: Partial<NewRelease> = {}): NewRelease {
  return {
    task: 'toy',
    channel: 'production',
    checkpoint: 'toy-1/1',
    expected: null,
    undoes: null,
    at: 1,
    by: { by: 'admin', name: 'a test' },
    reason: 'Better.',
    evidence: null,
    ...change,
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
  planDefaults: {},
};
