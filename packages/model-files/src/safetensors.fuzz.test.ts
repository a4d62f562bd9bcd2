import { shapeSize } from '@coppice/protocol';
import { anyBytes, attempt, damaged } from '@coppice/protocol/testing';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readSafetensors, writeSafetensors } from './safetensors.ts';

const valid = writeSafetensors(
  [
    { name: 'a/kernel', shape: [2, 3], values: Float32Array.of(1, 2, 3, 4, 5, 6) },
    { name: 'a/bias', shape: [3], values: Float32Array.of(1, -0, 3) },
    { name: 'count', shape: [], values: Float32Array.of(7) },
  ],
  { format: 'pt' },
);

it('reads any bytes as tensors that are written and read the same, or refuses them by name', () => {
  fc.assert(
    fc.property(fc.oneof({ weight: 4, arbitrary: damaged(valid) }, anyBytes), (bytes) => {
      const result = attempt(() => readSafetensors(bytes));
      if ('refused' in result) {
        expect(result.refused.code).toBe('weights-invalid');
        return;
      }
      for (const { shape, values } of result.value) expect(values.length).toBe(shapeSize(shape));
      expect(readSafetensors(writeSafetensors(result.value))).toEqual(result.value);
    }),
    { numRuns: 2000 },
  );
});
