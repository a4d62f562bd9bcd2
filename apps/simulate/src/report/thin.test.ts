import fc from 'fast-check';
import { expect, it } from 'vitest';
import { thin } from './thin.ts';

it('keeps order, first and last, evenly, and no more than the limit', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 2, max: 200 }), (count, limit) => {
      const items = Array.from({ length: count }, (_, index) => index);
      const shown = thin(items, limit);
      expect(shown).toHaveLength(Math.min(count, limit));
      expect(shown[0]).toBe(0);
      expect(shown.at(-1)).toBe(count - 1);
      const gaps = shown.slice(1).map((item, index) => item - (shown[index] as number));
      if (gaps.length > 0) expect(Math.max(...gaps) - Math.min(...gaps)).toBeLessThanOrEqual(1);
      expect(Math.min(1, ...gaps)).toBe(1);
    }),
  );
});
