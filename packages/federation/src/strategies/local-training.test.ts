import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MODEL_GROUP } from '../contributions/layout.ts';
import type { Learner } from '../learner.ts';
import { fedavg } from './fedavg.ts';
import { Federation, layoutOf, quadraticLearner } from './federation.testing.ts';
import { difference, localTraining } from './local-training.ts';

const layout = layoutOf({ w: 2 });
const how = { epochs: 1, batchSize: 1, optimizer: 'sgd', learningRate: 0.1, shuffleSeed: '' } as const;

/** A learner that ends at these weights, and keeps what it was asked. */
function ending(at: Float32Array) {
  const asked: Parameters<Learner['train']>[] = [];
  const learner: Learner = {
    layout,
    async train(...given) {
      asked.push(given);
      return { weights: at, steps: 1, lossSum: 0, examples: 1 };
    },
    gradient: () => Promise.reject(new Error('not asked for')),
    measure: () => Promise.reject(new Error('not asked for')),
  };
  return { learner, asked };
}

describe('the change of the model', () => {
  const number = fc.float({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 });

  it('and what was left out before are rounded once, together', () => {
    fc.assert(
      fc.property(number, number, number, (a, b, more) => {
        const [once] = difference(Float32Array.of(a), Float32Array.of(b), Float32Array.of(more));
        expect(once).toBe(Math.fround(a - b + more));
      }),
    );
    // Rounded by itself, 1 + 2⁻²⁴ is 1, and the sum is 2⁻²⁴ short.
    const [once] = difference(Float32Array.of(1), Float32Array.of(-(2 ** -24)), Float32Array.of(-1));
    expect(once).toBe(2 ** -24);
    expect(difference(Float32Array.of(3), Float32Array.of(1))).toEqual(Float32Array.of(2));
  });

  it('has what the codec left out of the last contribution, and of no other group', async () => {
    const groups: string[] = [];
    const weights = Float32Array.of(1, 2);
    const { learner, asked } = ending(Float32Array.of(1.5, 2.5));
    const { vectors, kept } = await localTraining.answer(
      {
        weights,
        how,
        proximal: 0,
        given: {},
        kept: null,
        carry: (group) => {
          groups.push(group);
          return Float32Array.of(10, 20);
        },
      },
      learner,
    );
    expect([...vectors]).toEqual([[MODEL_GROUP, Float32Array.of(10.5, 20.5)]]);
    expect([groups, kept]).toEqual([[MODEL_GROUP], null]);
    expect(asked).toEqual([[weights, how, null]]);
  });
});

it("μ (w − w₀) is added to the gradient, FedProx's pull to the given weights", async () => {
  const weights = Float32Array.of(1, 2);
  const { learner, asked } = ending(weights);
  await localTraining.answer(
    { weights, how, proximal: 0.3, given: {}, kept: null, carry: () => null },
    learner,
  );
  expect(asked[0]?.[2]).toEqual({ scale: 1, pull: 0.3, anchor: weights, offset: null });
});

it('FedProx keeps devices nearer, and their mean nearer to the joint optimum', async () => {
  const one = layoutOf({ w: 1 });
  const problems = [
    { a: [1], b: [4] },
    { a: [9], b: [-1] },
  ];
  const optimum = (1 * 4 + 9 * -1) / 10;
  const off = async (proximal: number) => {
    const federation = new Federation(
      fedavg(),
      problems.map((problem) => quadraticLearner(one, problem)),
      { how: { epochs: 50, learningRate: 0.05 }, proximal },
    );
    for (let round = 0; round < 200; round++) await federation.round();
    return Math.abs((federation.model.weights[0] as number) - optimum);
  };
  const [plain, proximal] = [await off(0), await off(10)];
  expect(plain).toBeGreaterThan(1);
  expect(proximal).toBeLessThan(plain / 2);
});
