import type { Layout } from '@coppice/protocol';
import { expect, it } from 'vitest';
import { ExactAccumulator } from '../sums/accumulator.ts';
import type { NormBound } from './norm-bound.ts';

const layout: Layout = [
  { name: 'a', shape: [3], trainable: true },
  { name: 'mean', shape: [1], trainable: false },
  { name: 'b', shape: [2], trainable: true },
];
const refused = expect.objectContaining({ code: 'update-norm' });
const NONE = Number.POSITIVE_INFINITY;
const error = (values: Float32Array, bound: number | NormBound) => {
  try {
    new ExactAccumulator(6).add(values, 1, {
      layout,
      bound: typeof bound === 'number' ? { trainable: bound, nonTrainable: NONE } : bound,
    });
    return null;
  } catch (thrown) {
    return thrown;
  }
};

it('measures trainable tensors together, and nothing else', () => {
  // 3-4-12: a norm of 13 that no tensor has alone.
  const values = new Float32Array([3, 4, 0, 1e9, 12, 0]);
  expect(error(values, 13)).toBeNull();
  expect(error(values, 12.99)).toEqual(refused);
});

it('measures the others together, by themselves', () => {
  const values = new Float32Array([3, 4, 0, 100, 12, 0]);
  expect(error(values, { trainable: 13, nonTrainable: 100 })).toBeNull();
  expect(error(values, { trainable: 13, nonTrainable: 99.9 })).toEqual(refused);
  expect(error(values, { trainable: NONE, nonTrainable: 99.9 })).toEqual(refused);
});

it.each([
  [2, '4.00', '2.00'],
  [3.9999, '4.0000', '3.9999'],
  [3.999999, '4.000000', '3.999999'],
])('tells a norm of 4 from the bound %s', (bound, norm, told) => {
  expect(error(new Float32Array([4, 0, 0, 0, 0, 0]), bound)).toMatchObject({
    message: expect.stringContaining(`norm is ${norm}; this run counts updates up to ${told}.`),
  });
});

it('leaves what is not finite to be refused by its own name', () => {
  const notFinite = expect.objectContaining({ code: 'update-not-finite' });
  expect(error(new Float32Array([Number.NaN, 0, 0, 0, 0, 0]), 1)).toEqual(notFinite);
  expect(error(new Float32Array([2, 0, 0, Number.POSITIVE_INFINITY, 0, 0]), 1)).toEqual(notFinite);
});
