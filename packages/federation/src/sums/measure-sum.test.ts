import type { TensorSpec } from '@coppice/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeMeasures, encodeMeasures } from '../contributions/measures.ts';
import { MeasureSum } from './measure-sum.ts';

const measure = (name: string, more: Partial<TensorSpec> = {}): TensorSpec => ({
  name,
  shape: [],
  role: 'measure',
  group: 'measures',
  unit: 2 ** -32,
  bound: null,
  weighted: 'one',
  precision: 'double',
  ...more,
});
const tensors = [measure('loss'), measure('hits', { shape: [2], unit: 1, precision: 'single' })];
const measures = (loss: number, hits: [number, number] = [0, 0]) =>
  new Map([
    ['loss', Float64Array.of(loss)],
    ['hits', Float64Array.from(hits)],
  ]);
const losses = fc.array(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 20 });

describe('MeasureSum', () => {
  it('gives the sum that BigInt gives, whatever the order and the grouping', () => {
    fc.assert(
      fc.property(losses, fc.nat(20), (values, cut) => {
        const all = new MeasureSum(tensors);
        for (const value of values) all.add(measures(value, [1, 2]));
        const first = new MeasureSum(tensors);
        for (const value of values.slice(0, cut).reverse()) first.add(measures(value, [1, 2]));
        const second = new MeasureSum(tensors);
        for (const value of values.slice(cut)) second.add(measures(value, [1, 2]));
        first.merge(JSON.parse(JSON.stringify(second.partial())));
        expect(first.partial()).toEqual(all.partial());
        // 2³² times a float64 of this size is exact up to its last bits, which rounding to whole units decides.
        const exact = values.reduce((sum, value) => sum + BigInt(Math.round(value * 2 ** 32)), 0n);
        const told = BigInt(all.partial().units.loss?.[0] ?? '');
        const off = told > exact ? told - exact : exact - told;
        expect(off <= BigInt(values.length)).toBe(true);
        expect([...(all.totals().get('hits') ?? [])]).toEqual([values.length, 2 * values.length]);
      }),
    );
  });

  it('is as it was after taking measures off again', () => {
    const sum = new MeasureSum(tensors);
    sum.add(measures(0.1, [3, 4]));
    const before = sum.partial();
    sum.add(measures(1 / 3, [5, 6]));
    sum.remove(measures(1 / 3, [5, 6]));
    expect(sum.partial()).toEqual(before);
  });

  it('refuses measures of which one is missing or of another shape, and stays as it was', () => {
    const sum = new MeasureSum(tensors);
    sum.add(measures(0.5, [1, 2]));
    const before = sum.partial();
    const refused = expect.objectContaining({ code: 'update-shape' });
    const short = new Map([...measures(1), ['hits', Float64Array.of(1)] as const]);
    const long = new Map([...measures(1), ['hits', Float64Array.of(1, 2, 3)] as const]);
    for (const some of [new Map(), new Map([...measures(1)].slice(0, 1)), short, long]) {
      expect(() => sum.add(some)).toThrow(refused);
      expect(() => sum.remove(some)).toThrow(refused);
    }
    expect(() => sum.add(measures(1, [1, Number.NaN]))).toThrow(RangeError);
    expect(sum.partial()).toEqual(before);
  });

  it('refuses a partial sum of other measures, and stays as it was', () => {
    const sum = new MeasureSum(tensors);
    const refused = expect.objectContaining({ code: 'update-shape' });
    for (const units of [
      {},
      { loss: ['1'] },
      { loss: ['1'], hits: ['1'] },
      { loss: ['1.5'], hits: ['1', '2'] },
      { loss: ['1'], hits: ['1', '2'], more: ['1'] },
    ]) {
      expect(() => sum.merge({ count: 1, units: units as Record<string, string[]> })).toThrow(refused);
    }
    expect(sum.count).toBe(0);
  });
});

describe('measures as they travel', () => {
  it('come back to 2⁻⁴⁸ of their size as two float32 limbs', () => {
    fc.assert(
      fc.property(fc.double({ min: -1e12, max: 1e12, noNaN: true }), (loss) => {
        const back = decodeMeasures(tensors, encodeMeasures(tensors, measures(loss, [7, 9])));
        expect(Math.abs((back.get('loss')?.[0] ?? Number.NaN) - loss)).toBeLessThanOrEqual(
          Math.abs(loss) * 2 ** -47 + 2 ** -149,
        );
        expect([...(back.get('hits') ?? [])]).toEqual([7, 9]);
      }),
    );
  });

  it('are refused by name where they are not finite or beyond their bound', () => {
    const bounded = [measure('loss', { bound: 10 })];
    const came = (...numbers: number[]) => decodeMeasures(bounded, Float32Array.from(numbers));
    expect(() => came(Number.NaN, 0)).toThrow(expect.objectContaining({ code: 'update-not-finite' }));
    expect(() => came(1, Number.POSITIVE_INFINITY)).toThrow(
      expect.objectContaining({ code: 'update-not-finite' }),
    );
    expect(() => came(-10.5, 0)).toThrow(expect.objectContaining({ code: 'update-measure' }));
    expect(came(10, 0).get('loss')?.[0]).toBe(10);
  });
});
