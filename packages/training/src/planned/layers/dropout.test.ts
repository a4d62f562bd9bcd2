import fc from 'fast-check';
import { expect, it } from 'vitest';
import { useBackend } from '../../backends.ts';
import * as tf from '../../tf.ts';
import { drawMask } from './dropout.ts';

it('draws the mask that tfjs draws from the same seed, to the bit', async () => {
  await useBackend('cpu');
  const rate = fc.float({ min: Math.fround(0.01), max: Math.fround(0.99), noNaN: true });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 2 ** 31 - 1 }),
      rate,
      fc.integer({ min: 1, max: 60 }),
      (seed, p, n) => {
        const mask = new Float32Array(n);
        drawMask(mask, p, seed);
        const oracle = tf.tidy(() => tf.dropout(tf.ones([n]), p, undefined, seed).dataSync());
        expect(mask).toEqual(oracle);
      },
    ),
  );
});
