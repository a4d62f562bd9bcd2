import { normal, type RandomSource, seededRandom } from '@coppice/ports';
import { describe, expect, it } from 'vitest';
import { chiSquareUpper } from '../statistics/distributions.ts';
import { AlarmBounds, alarmLevel, type Shape } from './alarm-bounds.ts';
import { finished } from './judged.testing.ts';

const bounds = new AlarmBounds();
const boundOf = (shape: Shape, level: number, of = bounds) => finished(of.of(shape, level));
const alike = { within: 1, noise: 0, between: 0 };

function chiSquare(degrees: number, random: RandomSource): number {
  let sum = 0;
  for (let i = 0; i < degrees; i++) sum += normal(random) ** 2;
  return sum;
}

describe('bounds of alarms', () => {
  it('share the promise among histograms', () => {
    expect(alarmLevel(1, 100)).toBeCloseTo(0.01, 12);
    expect(1 - (1 - alarmLevel(30, 100)) ** 30).toBeCloseTo(0.01, 12);
  });

  it('are those of the χ² distribution where the variance is known', () => {
    // χ²: 99.9 % points for 1, 9 and 20 degrees of freedom (Abramowitz and Stegun, table 26.8).
    for (const [dimensions, quantile] of [
      [1, 10.828],
      [9, 27.877],
      [20, 45.315],
    ] as const) {
      const bound = boundOf({ dimensions, ...alike, degrees: Number.POSITIVE_INFINITY }, 0.001);
      expect(Math.abs(bound / quantile - 1)).toBeLessThan(0.05);
      const noisy = { dimensions, ...alike, noise: 2, degrees: Number.POSITIVE_INFINITY };
      expect(Math.abs(boundOf(noisy, 0.001) / (3 * quantile) - 1)).toBeLessThan(0.05);
    }
  });

  it('are those of Fisher’s F where there is nothing but an estimated variance between participants', () => {
    // Student's t: two-sided 99.9 % points for 4, 8 and 16 degrees of freedom, whose squares are those of F with 1 and so many.
    for (const [degrees, t] of [
      [4, 8.61],
      [8, 5.041],
      [16, 4.015],
    ] as const) {
      const bound = boundOf({ dimensions: 1, within: 1e-6, noise: 0, between: 3, degrees }, 0.001);
      expect(Math.abs(bound / (3 * t ** 2) - 1)).toBeLessThan(0.02);
    }
  });

  it.each([
    [1, 8, 0.005],
    [9, 8, 0.005],
    [9, 8, 0.0005],
    [9, 14, 0.0005],
    [3, 8, 0.0005],
  ])(
    'of %i dimensions and %i degrees are exceeded at most at a level of %f, however participants differ',
    (dimensions, degrees, level) => {
      // With the estimated ratio of variances in place of the true one it was several times as often.
      for (const between of [0, 0.5, 2, 8, 32, 256]) {
        const random = seededRandom('level', dimensions, degrees, between);
        const draws = 3000;
        let sum = 0;
        for (let i = 0; i < draws; i++) {
          const estimated =
            (chiSquare((dimensions - 1) * degrees, random) + (1 + between) * chiSquare(degrees, random)) /
            degrees;
          const shape = { dimensions, ...alike, between: Math.max(0, estimated - dimensions), degrees };
          const rest = boundOf(shape, level) - chiSquare(dimensions - 1, random);
          sum += chiSquareUpper(rest / (1 + between));
        }
        expect(sum / draws).toBeLessThan(1.5 * level);
      }
    },
  );

  it('are in the unit of the variances', () => {
    const shape = { dimensions: 4, within: 1, noise: 2, between: 3, degrees: 20 };
    const small = { ...shape, within: 1e-3, noise: 2e-3, between: 3e-3 };
    expect(boundOf(small, 0.01)).toBeCloseTo(boundOf(shape, 0.01) / 1000, 10);
    expect(boundOf({ ...shape, within: 0, noise: 0, between: 0 }, 0.01)).toBe(0);
    expect(boundOf({ ...shape, within: 0 }, 0.01)).toBeGreaterThan(0);
  });

  it('are computed once, in slices, and depend on nothing that was asked before', () => {
    const shape = { dimensions: 4, within: 1, noise: 0, between: 3, degrees: 20 };
    const [a, b] = [new AlarmBounds(), new AlarmBounds()];
    boundOf({ ...shape, dimensions: 7 }, 0.01, b);
    expect(b.of(shape, 0.01).next().done).toBe(false);
    expect(boundOf(shape, 0.01, b)).toBe(boundOf(shape, 0.01, a));
    expect(b.of(shape, 0.01).next().done).toBe(true);
  });

  it('grow as levels fall, as participants are fewer, and with each variance', () => {
    const shape = { dimensions: 9, within: 1, noise: 0, between: 1, degrees: 50 };
    const at = (level: number, more = {}) => boundOf({ ...shape, ...more }, level);
    expect(at(0.001)).toBeGreaterThan(at(0.01));
    expect(at(0.001, { degrees: 5 })).toBeGreaterThan(at(0.001));
    for (const more of [{ between: 1.1 }, { noise: 0.1 }, { within: 1.1, between: 1 }])
      expect(at(0.001, more)).toBeGreaterThan(at(0.001));
  });
});
