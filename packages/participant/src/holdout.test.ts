import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { holdOut } from './holdout.ts';

/** Examples of two numbers each, 3i and 3i + 1, with the label i. */
function numbered(count: number, bytes: boolean) {
  const xs = Array.from({ length: 2 * count }, (_, i) => (3 * (i >> 1) + (i & 1)) % 256);
  return {
    count,
    xs: bytes ? Uint8Array.from(xs) : Float32Array.from(xs),
    ys: Float32Array.from({ length: count }, (_, i) => i),
  };
}

describe('examples kept out of training', () => {
  it('are each in one part, as they were, and stay there when more come', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 20, max: 85 }),
        fc.integer({ min: 0, max: 30 }),
        fc.double({ min: 0.2, max: 0.8, noNaN: true }),
        fc.boolean(),
        (count, more, share, bytes) => {
          const data = numbered(count, bytes);
          const { training, evaluation } = holdOut(data, share, 'someone');
          if (evaluation === null) throw new Error('nothing was kept out');
          if (evaluation.count === count) return;
          expect([...training.ys, ...evaluation.ys].sort((a, b) => a - b)).toEqual([...data.ys]);
          for (const part of [training, evaluation]) {
            expect(part.xs.constructor).toBe(data.xs.constructor);
            expect([...part.xs]).toEqual([...part.ys].flatMap((i) => [data.xs[2 * i], data.xs[2 * i + 1]]));
          }
          const later = holdOut(numbered(count + more, bytes), share, 'someone').evaluation?.ys ?? [];
          expect([...later].filter((label) => label < count)).toEqual([...evaluation.ys]);
        },
      ),
    );
  });

  it('are about the share that is asked for, others for another participant', () => {
    const data = numbered(2000, true);
    const [a, b] = ['a', 'b'].map((who) => holdOut(data, 0.25, who).evaluation?.ys ?? []);
    // Five standard deviations of a binomial.
    expect(Math.abs((a?.length ?? 0) - 500)).toBeLessThan(5 * Math.sqrt(2000 * 0.25 * 0.75));
    expect(a).not.toEqual(b);
  });

  it('are none where the share is 0, and all where there are too few to split', () => {
    const data = numbered(4, false);
    expect(holdOut(data, 0, 'someone')).toEqual({ training: data, evaluation: null });
    expect(holdOut(data, 1e-9, 'someone')).toEqual({ training: data, evaluation: data });
  });
});
