import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatBytes, formatLoss, formatPercent, formatSeconds, NOT_MEASURED } from './format.ts';

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.00 kB'],
    [9994, '9.99 kB'],
    [9996, '10.0 kB'],
    [999_949, '999.9 kB'],
    [999_950, '1.00 MB'],
    [15_936_800, '15.9 MB'],
    [2e12, '2.00 TB'],
    [5e18, '5000.0 PB'],
  ])('%d → %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  it('is the amount to within one per cent, whatever the unit', () => {
    const sizes: Record<string, number> = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12, PB: 1e15 };
    fc.assert(
      fc.property(fc.nat({ max: Number.MAX_SAFE_INTEGER }), (bytes) => {
        const [value, unit] = formatBytes(bytes).split(' ') as [string, string];
        const shown = Number(value) * (sizes[unit] as number);
        expect(Math.abs(shown - bytes)).toBeLessThanOrEqual(bytes * 0.01);
      }),
    );
  });
});

describe('formatSeconds', () => {
  it.each([
    [0, '0 ms'],
    [0.84, '840 ms'],
    [0.9996, '1.0 s'],
    [3.21, '3.2 s'],
    [59.94, '59.9 s'],
    [59.96, '1 min 00 s'],
    [245, '4 min 05 s'],
    [3599.4, '59 min 59 s'],
    [3599.6, '1 h 00 min'],
    [7620, '2 h 07 min'],
    [Number.NaN, NOT_MEASURED],
  ])('%d → %s', (seconds, text) => expect(formatSeconds(seconds)).toBe(text));
});

describe('formatPercent and formatLoss', () => {
  it('do not round a missed target up to it, for 10,000 test examples', () => {
    expect(formatPercent(9699 / 10_000)).toBe('96.99%');
    expect(formatPercent(9700 / 10_000)).toBe('97.00%');
  });

  it('show what was not measured as such', () => {
    for (const value of [null, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(formatPercent(value)).toBe(NOT_MEASURED);
      expect(formatLoss(value)).toBe(NOT_MEASURED);
    }
  });

  it.each([
    [0, '0.0000'],
    [0.30114, '0.3011'],
    [2.3456, '2.346'],
    [12_345.6, '12346'],
    [3e-7, '3.000e-7'],
    [1e9, '1.000e+9'],
  ])('loss %d → %s', (loss, text) => expect(formatLoss(loss)).toBe(text));
});
