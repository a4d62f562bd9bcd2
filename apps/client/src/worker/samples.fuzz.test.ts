import { anyBytes, attempt, damaged } from '@coppice/protocol/testing';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeSamples } from './samples.ts';

/** One example of three bytes, one of two columns: number, bytes each, size, 0; features, padding, labels. */
const pictures = new Uint8Array([1, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 7, 8, 9, 0, 0, 0, 128, 63]);
const rows = new Uint8Array([1, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 128, 63, 0, 0, 0, 64]);

it('samples are as many as they say, or refused by name', () => {
  expect(decodeSamples(pictures.slice().buffer)).toMatchObject({
    count: 1,
    features: new Uint8Array([7, 8, 9]),
    labels: new Float32Array([1]),
  });
  expect(decodeSamples(rows.slice().buffer)).toMatchObject({
    features: new Float32Array([1]),
    labels: new Float32Array([2]),
  });
  fc.assert(
    fc.property(fc.oneof({ weight: 4, arbitrary: damaged(pictures, rows) }, anyBytes), (bytes) => {
      const result = attempt(() => decodeSamples(new Uint8Array(bytes).buffer));
      if ('refused' in result) expect(result.refused.code).toBe('data-invalid');
      else {
        const { count, labels, features } = result.value;
        expect(labels).toHaveLength(count);
        expect(features.byteLength + labels.byteLength).toBeLessThanOrEqual(bytes.length);
      }
    }),
    { numRuns: 2000 },
  );
});
