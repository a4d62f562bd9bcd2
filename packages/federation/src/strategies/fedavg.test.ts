import type { Layout } from '@coppice/protocol';
import { expect, it } from 'vitest';
import { finish } from '../steps.ts';
import { fedavg } from './fedavg.ts';

it('applies the server learning rate to trainable weights only, and changes nothing that it is given', () => {
  const layout: Layout = [
    { name: 'kernel', shape: [2], trainable: true },
    { name: 'moving_mean', shape: [1], trainable: false },
  ];
  const model = { layout, weights: new Float32Array([1, 1, 1]) };
  const { server } = fedavg({ serverLearningRate: 0.5 });
  const before = model.weights.slice();
  const { weights } = finish(
    server.apply(server.init(model), {
      round: 1,
      model,
      mean: new Float64Array([2, -2, 2]),
      means: new Map(),
      measures: new Map(),
      count: 1,
      weight: 1,
      joined: 1,
    }),
  );
  expect([...weights]).toEqual([2, 0, 3]);
  expect(model.weights).toEqual(before);
});
