import { expect, it } from 'vitest';
import { CreateTaskSchema, TaskInfoSchema } from './api/http.ts';
import { TaskSchema } from './task.ts';
import { sampleTask } from './testing/samples.ts';
import { tolerant } from './tolerant.ts';

/* The share of the examples that no plan trains on. */

const { heldOut: _share, ...stated } = sampleTask;
const { samples: _samples, planDefaults: _defaults, ...created } = stated;
const { model: _model, planDefaults: _plan, ...about } = stated;
const info = {
  ...about,
  builtIn: false,
  centralEvaluation: false,
  parameters: 1,
  trainable: 1,
  frozen: 0,
  plan: {},
};

it.each([
  ['a stored task', TaskSchema, stated],
  ['a task on the wire', tolerant(TaskSchema), stated],
  ['a new task', CreateTaskSchema, created],
  ['a task in a list', TaskInfoSchema, info],
])('%s that states no share holds out a tenth; a share is from 0 to a half', (_name, schema, task) => {
  const read = (change: object) => schema.safeParse({ ...task, ...change }).data?.heldOut;
  expect([{}, { heldOut: 0 }, { heldOut: 0.25 }, { heldOut: 0.5 }].map(read)).toEqual([0.1, 0, 0.25, 0.5]);
  for (const heldOut of [-0.01, 0.51, Number.NaN, '0.1', null]) expect(read({ heldOut })).toBeUndefined();
});
