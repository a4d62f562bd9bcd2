import fc from 'fast-check';
import { expect, it } from 'vitest';
import { indicesToOffer } from './rounds-to-offer.ts';

it('offers all of a few rounds, the newest first', () => {
  expect(indicesToOffer(0, -1)).toEqual([]);
  expect(indicesToOffer(4, 3)).toEqual([3, 2, 1, 0]);
  expect(indicesToOffer(200, 0)).toHaveLength(200);
});

it('offers of thousands the chosen one and its neighbours, the newest, the first, and some between', () => {
  const place = fc
    .integer({ min: 201, max: 20_000 })
    .chain((count) => fc.record({ count: fc.constant(count), at: fc.integer({ min: 0, max: count - 1 }) }));
  fc.assert(
    fc.property(place, ({ count, at }) => {
      const offered = indicesToOffer(count, at);
      expect(offered.length).toBeLessThanOrEqual(250);
      for (const index of [at, Math.max(0, at - 1), Math.min(count - 1, at + 1), 0, count - 1])
        expect(offered).toContain(index);
      const gaps = offered.slice(1).map((index, i) => (offered[i] as number) - index);
      expect(Math.min(...gaps)).toBeGreaterThanOrEqual(1);
      expect(Math.max(...gaps)).toBeLessThanOrEqual(Math.ceil(count / 100));
    }),
  );
});
