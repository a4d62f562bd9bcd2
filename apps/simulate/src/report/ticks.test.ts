import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ticksAround, wholeTicks } from './ticks.ts';

const finite = fc.double({ min: -1e9, max: 1e9, noNaN: true });

describe('ticksAround', () => {
  it('encloses the range with few, even, ascending ticks', () => {
    fc.assert(
      fc.property(finite, fc.double({ min: 1e-3, max: 1e9, noNaN: true }), (min, width) => {
        const max = min + width;
        const ticks = ticksAround(min, max, 4);
        const step = (ticks[1] as number) - (ticks[0] as number);
        expect(step).toBeGreaterThan(0);
        expect(ticks[0]).toBeLessThanOrEqual(min + step * 1e-6);
        expect(ticks.at(-1)).toBeGreaterThanOrEqual(max - step * 1e-6);
        expect(ticks.length).toBeLessThanOrEqual(7);
        for (let index = 1; index < ticks.length; index++)
          expect(((ticks[index] as number) - (ticks[index - 1] as number)) / step).toBeCloseTo(1, 3);
      }),
    );
  });

  it('is round: no trace of adding floats', () => {
    expect(ticksAround(0, 0.6, 6)).toEqual([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]);
    expect(ticksAround(0.58, 0.9723, 4)).toEqual([0.5, 0.6, 0.7, 0.8, 0.9, 1]);
  });

  it('has two ticks around a range without width', () => {
    for (const value of [0, 1, -3]) {
      const ticks = ticksAround(value, value, 4);
      expect(ticks.length).toBeGreaterThanOrEqual(2);
      expect(ticks[0]).toBeLessThanOrEqual(value);
      expect(ticks.at(-1)).toBeGreaterThanOrEqual(value);
    }
  });
});

describe('wholeTicks', () => {
  it('gives whole numbers within the range, about as many as asked for', () => {
    fc.assert(
      fc.property(fc.nat(100_000), fc.nat(100_000), (first, width) => {
        const ticks = wholeTicks(first, first + width, 6);
        expect(ticks.every((tick) => Number.isInteger(tick) && tick >= first && tick <= first + width)).toBe(
          true,
        );
        expect(ticks.length).toBeLessThanOrEqual(7);
      }),
    );
    expect(wholeTicks(1, 1, 6)).toEqual([1]);
    expect(wholeTicks(1, 20, 6)).toEqual([5, 10, 15, 20]);
  });
});
