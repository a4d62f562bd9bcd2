import { seededRandom } from '@coppice/ports';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { drawnShare } from './drawn-share.ts';
import type { OwnDataset } from './local-data.ts';
import { ID_BYTES } from './marks.ts';

const numbered = (count: number): OwnDataset => ({
  count,
  xs: Float32Array.from({ length: 2 * count }, (_, at) => at),
  ys: Float32Array.from({ length: count }, (_, row) => row),
  ids: new Uint8Array(count * ID_BYTES),
  times: Float64Array.from({ length: count }, (_, row) => row),
});

it('leaves a dataset that is small enough as it is', () => {
  const all = numbered(5);
  expect(drawnShare(all, 5, seededRandom(1))).toBe(all);
});

it('draws different rows, whole and in their order, and the same ones with the same seed', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 60 }), fc.nat(1000), (count, seed) => {
      const most = Math.max(1, Math.floor(count / 3));
      const share = drawnShare(numbered(count), most, seededRandom(seed));
      const rows = [...share.ys];
      expect(rows).toHaveLength(most);
      expect(rows).toEqual([...new Set(rows)].sort((a, b) => a - b));
      expect([...share.xs]).toEqual(rows.flatMap((row) => [2 * row, 2 * row + 1]));
      expect([...share.times]).toEqual(rows);
      expect([...drawnShare(numbered(count), most, seededRandom(seed)).ys]).toEqual(rows);
    }),
  );
});

it('draws every row equally often', () => {
  const counts = new Array<number>(10).fill(0);
  for (let seed = 0; seed < 2000; seed++)
    for (const row of drawnShare(numbered(10), 3, seededRandom(seed)).ys)
      counts[row] = (counts[row] ?? 0) + 1;
  // Expected 600 each, with a standard deviation of 20.5.
  for (const count of counts) expect(Math.abs(count - 600)).toBeLessThan(100);
});
