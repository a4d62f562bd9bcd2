import { normal, seededRandom } from '@coppice/ports';
import { expect, it } from 'vitest';
import { featureColumns } from './feature-columns.ts';

it('has the signs that the specification gives', () => {
  // R(0) with the seed 1 is 514e28b7, by docs/protocol.md: bits 0, 1, 0, 1 from the highest on.
  const signs = [0, 1, 2, 3].map(
    (i) => featureColumns(Float32Array.from({ length: 40 }, (_, j) => (i === j ? 2 : 0)))[0],
  );
  expect(signs).toEqual([1, -1, 1, -1]);
});

it('depends on the direction of the features and not on their size', () => {
  const random = seededRandom('features');
  const features = Array.from({ length: 200 }, () => normal(random));
  const columns = featureColumns(features);
  expect(columns).toHaveLength(4);
  for (const [k, column] of featureColumns(features.map((one) => 3 * one)).entries())
    expect(column).toBeCloseTo(columns[k] as number, 10);
  expect(featureColumns(new Float32Array(5))).toEqual([0, 0, 0, 0]);
});

it('spreads features without a direction in common about 0, with a variance of 1', () => {
  const random = seededRandom('spread');
  const columns = Array.from({ length: 2000 }, () =>
    featureColumns(Array.from({ length: 64 }, () => normal(random))),
  );
  for (let k = 0; k < 4; k++) {
    const mean = columns.reduce((sum, one) => sum + (one[k] as number), 0) / columns.length;
    const variance = columns.reduce((sum, one) => sum + ((one[k] as number) - mean) ** 2, 0) / columns.length;
    expect(Math.abs(mean)).toBeLessThan(0.1);
    expect(Math.abs(variance - 1)).toBeLessThan(0.15);
  }
});
