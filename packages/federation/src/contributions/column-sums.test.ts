import type { AgreedColumn } from '@coppice/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MeasureSum } from '../sums/measure-sum.ts';
import { checkColumnSums, columnSums, columnSumsLayout, scalingOf } from './column-sums.ts';
import { decodeMeasures, encodeMeasures, type Measures } from './measures.ts';

const columns: readonly AgreedColumn[] = [
  { name: 'a', column: 0, output: 0, min: -10, max: 10 },
  { name: 'b', column: 2, output: 0, min: 0, max: 1e6 },
  { name: 'target', column: null, output: 0, min: 0, max: 50 },
];
const layout = columnSumsLayout(columns, 1000);

/** Rows of three columns, of which the second is none of numbers, and their targets. */
const examplesOf = (rows: readonly (readonly [number, number, number])[]) => ({
  features: rows.flatMap(([a, b]) => [a, 7, b]),
  labels: rows.map(([, , target]) => target),
  rows: rows.map((_, row) => row),
});

/** The sums as the coordinator gets them. */
const travelled = (sums: Measures) => decodeMeasures(layout, encodeMeasures(layout, sums));

function sumOf(devices: readonly Measures[]): MeasureSum {
  const sum = new MeasureSum(layout);
  for (const device of devices) sum.add(travelled(device));
  return sum;
}

const agreedBy = (devices: readonly Measures[]) => {
  const sum = sumOf(devices);
  return scalingOf(columns, sum.totals(), sum.count);
};

const row = fc.tuple(
  fc.double({ min: -10, max: 10, noNaN: true }),
  fc.double({ min: 0, max: 1e6, noNaN: true }),
  fc.double({ min: 0, max: 50, noNaN: true }),
);
const devices = fc.array(fc.array(row, { minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 6 });

/** Mean and population deviation, in two passes. */
function plain(values: readonly number[]) {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return { mean, deviation: Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length) };
}

describe('the scaling that participants agree on', () => {
  it('is mean and population deviation of all examples together', () => {
    fc.assert(
      fc.property(devices, (all) => {
        const { means, scales, examples, participants } = agreedBy(
          all.map((rows) => columnSums(columns, examplesOf(rows), 1000)),
        );
        expect([examples, participants]).toEqual([all.flat().length, all.length]);
        for (const at of [0, 1, 2] as const) {
          const { min, max } = columns[at] as AgreedColumn;
          const { mean, deviation } = plain(all.flat().map((one) => one[at]));
          expect(Math.abs((means[at] as number) - mean)).toBeLessThan(1e-12 * (max - min));
          // Below that, the values of the column do not differ.
          if (deviation > 1e-5 * (max - min))
            expect(Math.abs((scales[at] as number) / deviation - 1)).toBeLessThan(1e-3);
        }
      }),
    );
  });

  it('is the same to the bit in any order', () => {
    fc.assert(
      fc.property(devices, fc.nat(), (all, turn) => {
        const sums = all.map((rows) => columnSums(columns, examplesOf(rows), 1000));
        const at = turn % sums.length;
        expect(agreedBy([...sums.slice(at), ...sums.slice(0, at)].reverse())).toEqual(agreedBy(sums));
      }),
    );
  });

  it('clips values, and a column whose values do not differ has half of its range', () => {
    const rows: [number, number, number][] = [
      [1e9, 3, 12.5],
      [-10, 4, 12.5],
    ];
    const { means, scales } = agreedBy([columnSums(columns, examplesOf(rows), 1000)]);
    expect(means[0]).toBe(0);
    expect(scales[0]).toBe(10);
    expect(means[2]).toBe(12.5);
    expect(scales[2]).toBe(25);
    // Half a unit in a range of a million.
    expect(scales[1]).toBeCloseTo(0.5, 3);
  });

  it('one participant moves a mean by no more than its share of the examples times the range', () => {
    const honest = Array.from({ length: 9 }, () => columnSums(columns, examplesOf([[0, 5e5, 25]]), 1000));
    const liar = columnSums(columns, examplesOf([[1e30, 1e30, 1e30]]), 1000);
    const { means } = agreedBy([...honest, liar]);
    expect(means).toEqual([1, 5.5e5, 27.5]);
  });

  it('is of each of several targets', () => {
    const several: readonly AgreedColumn[] = [
      { name: 'x', column: 0, output: 0, min: 0, max: 8 },
      { name: 'one', column: null, output: 0, min: 0, max: 8 },
      { name: 'other', column: null, output: 1, min: 0, max: 80 },
    ];
    const examples = { features: [1, 3, 5], labels: [2, 10, 4, 30, 6, 50], rows: [0, 1, 2] };
    expect(scalingOf(several, columnSums(several, examples, 10), 1).means).toEqual([3, 4, 30]);
  });

  it('is of an even part of the rows where a device has more than count', () => {
    const rows = Array.from({ length: 100 }, (_, i): [number, number, number] => [i < 50 ? -4 : 6, 0, 0]);
    const sums = columnSums(columns, examplesOf(rows), 10);
    expect(sums.get('examples')).toEqual(Float64Array.of(10));
    expect(sums.get('sums')?.[0]).toBeCloseTo(5 * -0.4 + 5 * 0.6, 12);
  });
});

describe('sums that no examples can have are refused', () => {
  const sums = (examples: number, sum: number, square: number): Measures =>
    new Map([
      ['examples', Float64Array.of(examples)],
      ['sums', Float64Array.of(sum)],
      ['squares', Float64Array.of(square)],
    ]);

  it.each([
    ['no example', sums(0, 0, 0)],
    ['half an example', sums(1.5, 0, 0)],
    ['a sum beyond the examples', sums(2, 2.1, 2)],
    ['squares beyond the examples', sums(2, 0, 2.1)],
    ['negative squares', sums(2, 0, -1)],
    ['squares below what the sum allows', sums(2, 2, 1)],
  ])('%s', (_what, wrong) => {
    expect(() => checkColumnSums(wrong)).toThrow(expect.objectContaining({ code: 'update-measure' }));
  });

  it('those of any examples are not', () => {
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 30 }), (rows) => {
        checkColumnSums(travelled(columnSums(columns, examplesOf(rows), 1000)));
      }),
    );
    // Values at one place, where rounding shows.
    const same = Array.from({ length: 999 }, (): [number, number, number] => [-9.9, 3.3, 49.999]);
    checkColumnSums(travelled(columnSums(columns, examplesOf(same), 1000)));
  });
});
