import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { niceTicks } from './ticks.ts';

describe('niceTicks', () => {
  it('begins at zero, covers the largest value and is never crowded', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1e-6, max: 1e12, noNaN: true }),
        fc.integer({ min: 2, max: 8 }),
        (max, count) => {
          const ticks = niceTicks(max, count);
          expect(ticks[0]).toBe(0);
          expect(ticks.at(-1)).toBeGreaterThanOrEqual(max * (1 - 1e-12));
          expect(ticks.length).toBeLessThanOrEqual(count + 2);
        },
      ),
    );
  });

  it('takes steps of 1, 2 or 5', () => {
    expect(niceTicks(9, 4)).toEqual([0, 5, 10]);
    expect(niceTicks(7, 4)).toEqual([0, 2, 4, 6, 8]);
    expect(niceTicks(0, 4)).toEqual([0]);
  });
});
