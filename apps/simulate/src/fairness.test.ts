import { expect, it } from 'vitest';
import { fairness } from './fairness.ts';

const task = {
  data: { kind: 'image' as const, width: 1, height: 1, channels: 1 as const, classes: ['a', 'b'] },
  loss: 'categoricalCrossentropy' as const,
};
const measure = (client: number, accuracy: number, examples = 10) => ({
  client,
  metrics: { examples, loss: 1, accuracy },
});

it('tells the mean, the tenth served worst and the spread, each client counted once', () => {
  // 20 clients with 0.05, 0.10, …, 1.00: mean 0.525, variance (20² − 1)/12 · 0.05².
  const found = fairness(
    Array.from({ length: 20 }, (_, client) => measure(client, (client + 1) / 20)),
    { task, on: 'held-out' },
  );
  expect(found).toMatchObject({ measure: 'accuracy', on: 'held-out' });
  expect(found?.mean).toBeCloseTo(0.525, 12);
  expect(found?.worstTenth).toBeCloseTo(0.075, 12);
  expect(found?.bestTenth).toBeCloseTo(0.975, 12);
  expect(found?.spread).toBeCloseTo(Math.sqrt(399 / 12) / 20, 12);
});

it('weights by examples apart from the plain mean', () => {
  const found = fairness([measure(0, 1, 90), measure(1, 0, 10)], { task, on: 'own' });
  expect([found?.mean, found?.weightedMean]).toEqual([0.5, 0.9]);
});

it('takes the largest errors for the worst, in the unit of the target', () => {
  const table = {
    kind: 'table' as const,
    features: [{ name: 'x', mean: 0, scale: 1 }],
    target: { kind: 'number' as const, name: 'y', mean: 100, scale: 50 },
  };
  const found = fairness(
    [4, 1].map((loss, client) => ({ client, metrics: { examples: 1, loss, accuracy: null } })),
    { task: { data: table, loss: 'meanSquaredError' }, on: 'own' },
  );
  expect(found).toMatchObject({ measure: 'error', worstTenth: 100, bestTenth: 50, mean: 75 });
});

it('is nothing where no client was measured', () => {
  expect(fairness([], { task, on: 'own' })).toBeNull();
});
