import type { LocalTraining } from '@coppice/protocol';
import { createTrainer, type Dataset, type ModelDescription } from '@coppice/training';
import { describe, expect, it, onTestFinished } from 'vitest';
import { learnerOf } from './learner.ts';

const description: ModelDescription = {
  topology: {
    class_name: 'Sequential',
    config: {
      layers: [
        {
          class_name: 'Dense',
          config: { name: 'hidden', units: 5, activation: 'tanh', batch_input_shape: [null, 2] },
        },
        { class_name: 'Dense', config: { name: 'class', units: 3, activation: 'softmax' } },
      ],
    },
  },
  data: {
    kind: 'table',
    features: ['x', 'y'].map((name) => ({ name, mean: 0, scale: 1 })),
    target: { kind: 'class', name: 'class', classes: ['a', 'b', 'c'] },
  },
  loss: 'categoricalCrossentropy',
};
const data: Dataset = {
  count: 31,
  xs: Float32Array.from({ length: 62 }, (_, i) => Math.sin(i * 1.7)),
  ys: Float32Array.from({ length: 31 }, (_, i) => (i * i) % 3),
};
const how: LocalTraining = {
  epochs: 3,
  batchSize: 8,
  optimizer: 'sgd',
  learningRate: 0.2,
  shuffleSeed: 'learner',
};

async function bound(options?: Parameters<typeof learnerOf>[2]) {
  const trainer = await createTrainer(description, { backend: 'planned', seed: 1 });
  onTestFinished(() => trainer.dispose());
  const weights = (await trainer.getWeights()).map((w, i) => w + 0.1 * Math.cos(i));
  return { trainer, learner: learnerOf(trainer, data, options), weights };
}

describe('a learner', () => {
  it('trains from the weights that it is given, as its trainer does', async () => {
    const { trainer, learner, weights } = await bound();
    const given = weights.slice();
    const trained = await learner.train(given, how);
    expect(given).toEqual(weights);
    trainer.setWeights(weights);
    const { weights: expected, steps, lossSum, examples } = await trainer.train(data, how);
    expect(trained).toEqual({ weights: expected, steps, lossSum, examples });
    expect(trained).toMatchObject({ steps: 12, examples: 31 });
    expect(learner.layout).toEqual(trainer.layout);
  });

  it('hands the objective on', async () => {
    const { trainer, learner, weights } = await bound();
    const objective = { scale: 0.5, pull: 0.3, anchor: weights, offset: weights.map(Math.sin) };
    const trained = await learner.train(weights, how, objective);
    trainer.setWeights(weights);
    expect(trained.weights).toEqual((await trainer.train(data, how, { objective })).weights);
    trainer.setWeights(weights);
    expect(trained.weights).not.toEqual((await trainer.train(data, how)).weights);
  });

  it('gives the gradient at any weights, whatever it trained before', async () => {
    const { learner, weights } = await bound();
    const gradient = await learner.gradient(weights);
    await learner.train(weights, how);
    expect(await learner.gradient(weights)).toEqual(gradient);
    // Central differences of the loss that it measures.
    for (const i of [0, 7, 14, weights.length - 1]) {
      const lossAt = async (change: number) => {
        const { lossSum, examples } = await learner.measure(
          weights.map((w, j) => (i === j ? w + change : w)),
        );
        return lossSum / examples;
      };
      const slope = ((await lossAt(1e-2)) - (await lossAt(-1e-2))) / 2e-2;
      expect(Math.abs(slope - (gradient[i] as number))).toBeLessThan(1e-3);
    }
  });

  it('agrees with itself by the control variates of SCAFFOLD: options I and II, after one step', async () => {
    const { learner, weights } = await bound();
    const one = { ...how, epochs: 1, batchSize: data.count };
    const { weights: after, steps } = await learner.train(weights, one);
    const gradient = await learner.gradient(weights);
    for (const [i, w] of weights.entries()) {
      const second = (w - (after[i] as number)) / (steps * one.learningRate);
      expect(Math.abs(second - (gradient[i] as number))).toBeLessThan(1e-5);
    }
  });

  it('stops training and gradients by its signal, and reports training', async () => {
    const stop = new AbortController();
    const seen: number[] = [];
    const { learner, weights } = await bound({
      signal: stop.signal,
      onProgress: ({ step }) => seen.push(step),
    });
    await learner.train(weights, how);
    expect(seen).toContain(4);
    stop.abort();
    await expect(learner.train(weights, how)).rejects.toMatchObject({ name: 'AbortError' });
    await expect(learner.gradient(weights)).rejects.toMatchObject({ name: 'AbortError' });
  });
});
