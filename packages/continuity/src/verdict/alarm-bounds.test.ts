import { describe, expect, it } from 'vitest';
import { AlarmBounds, alarmLevel } from './alarm-bounds.ts';
import { finished } from './judged.testing.ts';
import type { Shape } from './shift.ts';

const bounds = new AlarmBounds('tests');
const boundOf = (shape: Shape, level: number, of = bounds) => finished(of.of(shape, level));

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
      const bound = boundOf({ dimensions, between: 0, noise: 0, degrees: 1e9 }, 0.001);
      expect(Math.abs(bound / ((quantile - dimensions) / Math.sqrt(2 * dimensions)) - 1)).toBeLessThan(0.05);
    }
  });

  it('depend on the seed and the shape alone, and are simulated once', () => {
    const shape = { dimensions: 4, between: 3, noise: 0, degrees: 20 };
    const [a, b] = [new AlarmBounds('seed'), new AlarmBounds('seed')];
    boundOf({ ...shape, dimensions: 7 }, 0.01, b);
    expect(b.of(shape, 0.01).next().done).toBe(false);
    expect(boundOf(shape, 0.01, b)).toBe(boundOf(shape, 0.01, a));
    expect(b.of(shape, 0.01).next().done).toBe(true);
    expect(boundOf(shape, 0.01, new AlarmBounds('other'))).not.toBe(boundOf(shape, 0.01, a));
  });

  it('grow as levels fall, and as participants are fewer', () => {
    const shape = { dimensions: 9, between: 1, noise: 0, degrees: 50 };
    const at = (level: number, more = {}) => boundOf({ ...shape, ...more }, level);
    expect(at(0.001)).toBeGreaterThan(at(0.01));
    expect(at(0.001, { degrees: 5 })).toBeGreaterThan(at(0.001));
  });
});
