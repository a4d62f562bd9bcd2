import { builtInTask, normalise } from '@coppice/datasets';
import { loadTaskData } from '@coppice/datasets/node';
import type { Task } from '@coppice/protocol';
import { createTrainer } from '@coppice/training';
import { afterAll, expect, it } from 'vitest';
import { threadedModels } from './threaded-models.ts';

const digits = builtInTask('mnist-2nn') as Task;
const one = threadedModels();
const three = threadedModels({ threads: 3 });
afterAll(() => Promise.all([one.close(), three.close()]));

it('comes to the same bits however many threads share the work, and to what tfjs says', async () => {
  const { weights } = await one.describe(digits, 7);
  const metrics = await one.evaluate(digits, weights);
  expect(await three.evaluate(digits, weights)).toEqual(metrics);
  const trainer = await createTrainer(
    { topology: digits.model, data: digits.data, loss: digits.loss },
    { backend: 'cpu', seed: 0 },
  );
  trainer.setWeights(weights);
  const { test } = await loadTaskData(digits.id);
  const { xs, ys } = normalise(test, digits.data);
  const oracle = await trainer.evaluate({ count: test.count, xs, ys });
  trainer.dispose();
  expect(metrics?.examples).toBe(10_000);
  // Of ten thousand guesses, one or two may stand on the edge between two digits.
  expect(metrics?.accuracy).toBeCloseTo(oracle.accuracy as number, 3);
  expect(metrics?.loss).toBeCloseTo(oracle.loss as number, 5);
});

it('measures where there is less data than threads, and says nothing where there is none', async () => {
  const iris = builtInTask('iris') as Task;
  const { weights } = await three.describe(iris, 1);
  const metrics = await three.evaluate(iris, weights);
  expect(metrics).toEqual(await one.evaluate(iris, weights));
  expect(metrics?.examples).toBe(30);
  expect(await three.evaluate({ ...iris, id: 'nobody-has-data-for-this' }, weights)).toBeNull();
});

it('says nothing of a model that has gone astray', async () => {
  const { weights } = await one.describe(digits, 1);
  expect((await three.evaluate(digits, weights.fill(Number.NaN)))?.loss).toBeNull();
});
