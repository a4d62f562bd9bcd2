import type { Layout } from '@coppice/protocol';
import { expect, it } from 'vitest';
import { keepVariances } from './keep-variances.ts';

const layout: Layout = [
  { name: 'batch_normalization_1/gamma', shape: [2], trainable: true },
  { name: 'batch_normalization_1/moving_mean', shape: [2], trainable: false },
  { name: 'batch_normalization_1/moving_variance', shape: [3], trainable: false },
  { name: 'not_a_moving_variance', shape: [1], trainable: false },
  { name: 'odd/moving_variance', shape: [1], trainable: true },
  { name: 'moving_variance', shape: [1], trainable: false },
];

it('raises negative running variances to zero, and nothing else', () => {
  const weights = new Float32Array([-1, 1, -2, 2, -89, 0, 3, -4, -5, -0.5]);
  expect(keepVariances(layout, weights)).toBe(2);
  expect(weights).toEqual(new Float32Array([-1, 1, -2, 2, 0, 0, 3, -4, -5, 0]));
  expect(keepVariances(layout, weights)).toBe(0);
});
