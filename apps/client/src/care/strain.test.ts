import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { calm, ease, noteEffort, type Strain, spare } from './strain.ts';

const take = (strain: Strain, efforts: readonly number[], of = 'run/webgl') =>
  efforts.reduce((now, millisecondsPerExample) => noteEffort(now, { of, millisecondsPerExample }), strain);
const times = (count: number, value: number) => new Array<number>(count).fill(value);

describe('noteEffort', () => {
  it('stays calm while the device is as fast as it was, give or take a third', () => {
    const around = fc.double({ min: 0.85, max: 1.15, noNaN: true });
    fc.assert(
      fc.property(fc.array(around, { minLength: 10, maxLength: 60 }), (efforts) => {
        expect(take(calm, efforts).cause).toBeNull();
      }),
    );
  });

  it('calls it strain when the device takes twice as long for a while', () => {
    const warm = take(calm, times(30, 1));
    expect(take(warm, times(3, 2)).cause).toBeNull();
    expect(take(warm, times(6, 2)).cause).toBe('slower');
  });

  it('makes nothing of one slow stretch, nor of a slow beginning', () => {
    expect(take(calm, [50, 20, ...times(20, 1), 40, ...times(20, 1)]).cause).toBeNull();
  });

  it('compares only what can be compared', () => {
    const warm = take(calm, times(20, 1), 'small/webgl');
    const other = take(warm, times(40, 9), 'large/webgl');
    expect(other.cause).toBeNull();
    // What was learned of the first still holds.
    expect(take(other, times(6, 2), 'small/webgl').cause).toBe('slower');
  });

  it('learns nothing while the device is spared, and judges afresh afterwards', () => {
    const spared = spare(take(calm, times(20, 1)), 'pressure');
    expect(spared.cause).toBe('pressure');
    expect(take(spared, times(40, 9))).toBe(spared);
    const eased = ease(spared);
    expect(eased.cause).toBeNull();
    expect(take(eased, times(5, 3)).cause).toBeNull();
    expect(take(eased, times(6, 3)).cause).toBe('slower');
  });
});
