import { builtInTask } from '@coppice/datasets';
import { trainerHost } from '@coppice/participant';
import type { Task } from '@coppice/protocol';
import { createTrainer } from '@coppice/training';
import { expect, it } from 'vitest';
import { compare } from './predictor.ts';

const iris = builtInTask('iris') as Task;
const host = trainerHost(createTrainer, ['planned']);
const flower = Float32Array.of(6.3, 2.9, 5.6, 1.8);

/** A model of flowers that looks at nothing, and gives the classes these odds. */
function modelOf(round: number, odds: readonly number[]) {
  const weights = new Float32Array(131);
  for (const [index, one] of odds.entries()) weights[128 + index] = Math.log(one);
  return { round, checkpoint: `c${round}`, weights };
}

it('gives the probabilities of the first model and of the newest one, with their rounds', async () => {
  const models = { first: modelOf(0, [2, 1, 1]), latest: modelOf(7, [1, 2, 5]) };
  const { before, after } = await compare(iris, models, host, flower);
  expect([before?.round, after.round]).toEqual([0, 7]);
  for (const [index, share] of [0.5, 0.25, 0.25].entries())
    expect(before?.output[index]).toBeCloseTo(share, 6);
  for (const [index, share] of [0.125, 0.25, 0.625].entries())
    expect(after.output[index]).toBeCloseTo(share, 6);
});

it('asks one model once, and none where no first one is known', async () => {
  const latest = modelOf(3, [1, 1, 1]);
  const same = await compare(iris, { first: latest, latest }, host, flower);
  expect(same.before).toBe(same.after);
  expect((await compare(iris, { first: null, latest }, host, flower)).before).toBeNull();
});

it('gives a number in the unit of the target', async () => {
  const units = { units: 1, activation: 'linear', use_bias: true, batch_input_shape: [null, 1] };
  const length: Task = {
    ...iris,
    data: {
      kind: 'table',
      features: [{ name: 'width', mean: 1, scale: 2 }],
      target: { kind: 'number', name: 'length', unit: 'cm', mean: 7, scale: 2 },
    },
    model: {
      class_name: 'Sequential',
      config: { name: 'length', layers: [{ class_name: 'Dense', config: { name: 'only', ...units } }] },
    },
    loss: 'meanSquaredError',
  };
  const latest = { round: 1, checkpoint: 'c', weights: Float32Array.of(3, 0.5) };
  const { after } = await compare(length, { first: null, latest }, host, Float32Array.of(5));
  // The width is (5 - 1) / 2 as the model takes it, and the length 3 · 2 + 0.5 as the model gives it.
  expect(after.output).toEqual([7 + 2 * 6.5]);
});
