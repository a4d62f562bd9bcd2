import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Point, smooth, smoothingWidth } from './smooth.ts';

const value = fc.double({ min: -100, max: 100, noNaN: true });
const gap = fc.double({ min: 0.05, max: 5, noNaN: true });
const line = fc.array(fc.record({ gap, y: value }), { minLength: 2, maxLength: 30 }).map((steps) => {
  let x = 0;
  return steps.map((step): { x: number; y: number } => {
    x += step.gap;
    return { x, y: step.y };
  });
});
const width = fc.double({ min: 0.05, max: 20, noNaN: true });

/** The definition, summed by brute force: the weighted mean of the drawn line up to its end. */
function byIntegration(points: readonly { x: number; y: number }[], tau: number): number {
  const end = points.at(-1)!.x;
  let sum = 0;
  let mass = 0;
  for (let i = 1; i < points.length; i++) {
    const [a, b] = [points[i - 1]!, points[i]!];
    const slices = 4000;
    for (let k = 0; k < slices; k++) {
      const t = (k + 0.5) / slices;
      const x = a.x + t * (b.x - a.x);
      const weight = Math.exp(-(end - x) / tau) * ((b.x - a.x) / slices);
      sum += weight * (a.y + t * (b.y - a.y));
      mass += weight;
    }
  }
  return sum / mass;
}

describe('smooth', () => {
  it('is the exponentially weighted mean of the drawn line', () => {
    fc.assert(
      fc.property(line, width, (points, tau) => {
        expect(smooth(points, tau).at(-1)).toBeCloseTo(byIntegration(points, tau), 2);
      }),
      { numRuns: 30 },
    );
  });

  it('does not depend on how many points describe the same line', () => {
    fc.assert(
      fc.property(line, width, fc.integer({ min: 2, max: 7 }), (points, tau, parts) => {
        const finer: Point[] = [points[0]!];
        for (let i = 1; i < points.length; i++) {
          const [a, b] = [points[i - 1]!, points[i]!];
          for (let k = 1; k < parts; k++) {
            const t = k / parts;
            finer.push({ x: a.x + t * (b.x - a.x), y: a.y + t * (b.y - a.y) });
          }
          finer.push(b);
        }
        const coarse = smooth(points, tau);
        const fine = smooth(finer, tau).filter((_, index) => index % parts === 0);
        for (const [index, expected] of coarse.entries()) expect(fine[index]).toBeCloseTo(expected!, 6);
      }),
    );
  });

  it('stays between the smallest and the largest value', () => {
    fc.assert(
      fc.property(line, width, (points, tau) => {
        const values = points.map((point) => point.y);
        for (const smoothed of smooth(points, tau)) {
          expect(smoothed).toBeGreaterThanOrEqual(Math.min(...values) - 1e-9);
          expect(smoothed).toBeLessThanOrEqual(Math.max(...values) + 1e-9);
        }
      }),
    );
  });

  it('leaves a constant line, a width of zero and missing values as they are', () => {
    const flat = [0, 1, 5].map((x) => ({ x, y: 3 }));
    for (const smoothed of smooth(flat, 2)) expect(smoothed).toBeCloseTo(3, 12);
    const jagged = [
      { x: 0, y: 1 },
      { x: 1, y: null },
      { x: 2, y: 5 },
    ];
    expect(smooth(jagged, 0)).toEqual([1, null, 5]);
    expect(smooth(jagged, 1)[1]).toBeNull();
  });
});

describe('smoothingWidth', () => {
  it('is a share of the span, from nothing to half', () => {
    expect(smoothingWidth(0, 100)).toBe(0);
    expect(smoothingWidth(1, 100)).toBe(50);
    expect(smoothingWidth(0.5, 100) / smoothingWidth(0.5, 10)).toBeCloseTo(10, 12);
  });
});
