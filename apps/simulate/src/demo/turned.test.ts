import { expect, it } from 'vitest';
import { turned } from './turned.ts';

it('turns each picture to the right by itself, and keeps its label', () => {
  const pictures = {
    count: 2,
    features: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
    labels: Float32Array.of(0, 9),
  };
  const { features, labels } = turned(pictures, 2);
  expect([...features]).toEqual([3, 1, 4, 2, 7, 5, 8, 6]);
  expect([...labels]).toEqual([0, 9]);
});
