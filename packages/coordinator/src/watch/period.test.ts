import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextPeriod } from './period.ts';

const HOUR = 3_600_000;
const grid = { epoch: 500 * HOUR, length: 24 * HOUR };

describe('the next period', () => {
  it('follows the grid, and leaves out those in which the coordinator was down', () => {
    expect(nextPeriod(grid.epoch, grid, null)).toEqual({
      period: 0,
      startedAt: grid.epoch,
      deadlineAt: grid.epoch + 24 * HOUR,
    });
    expect(nextPeriod(grid.epoch + 24 * HOUR, grid, 0)).toMatchObject({
      period: 1,
      deadlineAt: grid.epoch + 48 * HOUR,
    });
    // Down for 40 days and three hours.
    expect(nextPeriod(grid.epoch + 963 * HOUR, grid, 0)).toEqual({
      period: 40,
      startedAt: grid.epoch + 963 * HOUR,
      deadlineAt: grid.epoch + 984 * HOUR,
    });
  });

  it('never comes twice and never lasts longer than the others, wherever the date is set to', () => {
    const dates = fc.array(fc.integer({ min: 0, max: 10_000 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(dates, (hours) => {
        let last: number | null = null;
        for (const hour of hours) {
          const { period, startedAt, deadlineAt } = nextPeriod(hour * HOUR, grid, last);
          expect(period).toBeGreaterThan(last ?? -1);
          expect(startedAt).toBe(hour * HOUR);
          expect(deadlineAt).toBeGreaterThan(startedAt);
          expect(deadlineAt - startedAt).toBeLessThanOrEqual(grid.length);
          last = period;
        }
      }),
    );
  });
});
