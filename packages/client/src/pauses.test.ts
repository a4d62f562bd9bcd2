import { seededRandom } from '@coppice/ports';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pauseAfterFailure, pauseBetweenLooks } from './pauses.ts';

describe('pauses', () => {
  it('between looks are the interval, give or take a tenth, and differ from page to page', () => {
    const pauses = Array.from({ length: 100 }, (_, page) => pauseBetweenLooks(60_000, seededRandom(page)));
    for (const pause of pauses) expect(Math.abs(pause - 60_000)).toBeLessThanOrEqual(6_000);
    expect(new Set(pauses).size).toBe(100);
  });

  it('after failures grow up to five minutes', () => {
    const random = seededRandom('failures');
    for (const [failures, longest] of [
      [1, 1_000],
      [2, 2_000],
      [5, 16_000],
      [9, 256_000],
      [10, 300_000],
      [5_000, 300_000],
    ] as const) {
      const pause = pauseAfterFailure(failures, null, random);
      expect(pause).toBeGreaterThanOrEqual(longest / 2);
      expect(pause).toBeLessThanOrEqual(longest);
    }
  });

  it('are never shorter than the coordinator asked for, nor all equal', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.nat(3_600_000), fc.nat(), (failures, asked, seed) => {
        const pauses = [seed, seed + 1].map((page) => pauseAfterFailure(failures, asked, seededRandom(page)));
        for (const pause of pauses) expect(pause).toBeGreaterThanOrEqual(asked);
        expect(pauses[0]).not.toBe(pauses[1]);
      }),
    );
  });
});
