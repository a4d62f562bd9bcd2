import { expect, it } from 'vitest';
import { lastCheckpoint } from './golden.testing.ts';

/* A whole epoch of all digits through convolutions, beside the few examples of golden.test.ts. */
it('the same seed ends with the same model, to the bit', { timeout: 600_000 }, async () => {
  expect(
    await lastCheckpoint(
      '--task mnist-cnn --clients 4 --rounds 1 --batch-size 100 --partition shards:2 --seed 7',
    ),
  ).toBe('4a21181d614003825a64e416d3031344294e856f2f66e57ecfb80bd37a58416d');
});
