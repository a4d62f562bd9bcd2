import { readFileSync } from 'node:fs';
import type { Layout } from '@coppice/protocol';
import { describe, expect, it } from 'vitest';
import { ExactAccumulator } from '../sums/accumulator.ts';
import { fedavg } from './fedavg.ts';

interface Vector {
  id: string;
  inputs: { clients: { arrays: unknown[]; num_examples: number }[] };
  expected: unknown[];
}

// Weighted averages computed by other frameworks; see the file for the source of each.
const vectors = JSON.parse(
  readFileSync(new URL('../fixtures/weighted-average.json', import.meta.url), 'utf8'),
) as Vector[];

const flat = (nested: unknown): number[] =>
  Array.isArray(nested) ? nested.flatMap(flat) : [nested as number];

describe('FedAvg', () => {
  it.each(vectors.map((vector) => [vector.id, vector] as const))(
    'matches %s',
    (_id, { inputs, expected }) => {
      // A client without examples has no weight in the others' formula either; Coppice refuses it by name.
      const counted = inputs.clients.filter((client) => client.num_examples > 0);
      const clients = counted.map(({ arrays, num_examples }) => ({
        weights: flat(arrays),
        examples: num_examples,
      }));
      const length = clients[0]?.weights.length ?? 0;
      const layout: Layout = [{ name: 'all', shape: [length], trainable: true }];
      const model = { layout, weights: new Float32Array(length).fill(0.25) };
      const sum = new ExactAccumulator(length);
      for (const { weights, examples } of clients) {
        sum.add(
          Float32Array.from(weights, (weight, i) => weight - (model.weights[i] as number)),
          examples,
        );
      }
      const strategy = fedavg();
      const { weights } = strategy.apply(strategy.init(model), {
        round: 1,
        model,
        mean: sum.mean(),
        updates: sum.updates,
        examples: sum.weight,
      });
      const wanted = flat(expected);
      expect(weights.length).toBe(wanted.length);
      for (let i = 0; i < wanted.length; i++) {
        const tolerance = 1e-6 + 1e-5 * Math.abs(wanted[i] as number);
        expect(Math.abs((weights[i] as number) - (wanted[i] as number))).toBeLessThanOrEqual(tolerance);
      }
    },
  );

  it('applies the server learning rate to trainable weights only', () => {
    const layout: Layout = [
      { name: 'kernel', shape: [2], trainable: true },
      { name: 'moving_mean', shape: [1], trainable: false },
    ];
    const model = { layout, weights: new Float32Array([1, 1, 1]) };
    const strategy = fedavg({ serverLearningRate: 0.5 });
    const before = model.weights.slice();
    const { weights } = strategy.apply(strategy.init(model), {
      round: 1,
      model,
      mean: new Float64Array([2, -2, 2]),
      updates: 1,
      examples: 1,
    });
    expect([...weights]).toEqual([2, 0, 3]);
    expect(model.weights).toEqual(before);
  });
});
