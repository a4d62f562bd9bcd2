import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batchSizes, fullGradient, largestBatch } from './full-gradient.ts';

describe('a gradient over all examples', () => {
  it('is taken in as few batches as there can be, of nearly the same size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 300 }), (count, largest) => {
        const sizes = batchSizes(count, largest);
        expect(sizes).toHaveLength(Math.ceil(count / largest));
        expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(count);
        expect(Math.max(...sizes)).toBe(sizes[0]);
        expect(sizes[0]).toBeLessThanOrEqual(largest);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('takes fewer examples at once of a wide model, and one at least', () => {
    expect([1, 5000, 50_000, 10_000_000].map(largestBatch)).toEqual([100, 100, 10, 1]);
  });

  it('visits each example once, in order, and is the mean', async () => {
    const seen: number[] = [];
    const mean = await fullGradient(
      { count: 23, largest: 10, size: 2 },
      (from, rows, sum) => {
        for (let i = from; i < from + rows; i++) {
          seen.push(i);
          sum[0] = (sum[0] as number) + i;
        }
      },
      null,
    );
    expect(seen).toEqual(Array.from({ length: 23 }, (_, i) => i));
    expect(mean).toEqual(Float32Array.of(11, 0));
  });

  it('stops between two batches when asked to', async () => {
    const stop = new AbortController();
    let batches = 0;
    const take = () => {
      batches++;
      stop.abort();
    };
    const work = fullGradient({ count: 30, largest: 10, size: 1 }, take, null, stop.signal);
    await expect(work).rejects.toMatchObject({ name: 'AbortError' });
    expect(batches).toBe(1);
  });
});
