import { normal, seededRandom, uniform } from '@coppice/ports';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tensorsOf } from '../report/layout.ts';
import { largestNorm } from '../report/norm.ts';
import { noisy, sumOf } from '../report/population.testing.ts';
import { refuses } from '../report/refuses.ts';
import { statisticsLayout } from '../report/statistics-layout.ts';
import { withheld } from '../report/withheld.ts';
import { agreedBinning } from './agree.ts';
import type { Binning } from './binning.ts';
import { fineEdges, spanOf } from './edges.ts';
import { OwnStatistics } from './own-statistics.ts';
import { identityOf, type Reference, ReferenceSchema, referenceOf } from './reference.ts';

const MINIMUM = 10;
const first: Binning = {
  version: 1,
  recipe: 'ab'.repeat(32),
  columns: [
    { kind: 'number', name: 'height', edges: fineEdges({ mean: 0, scale: 1 }), range: null },
    { kind: 'category', name: 'colour', values: 2 },
    {
      kind: 'number',
      name: 'age',
      edges: fineEdges({ mean: 50, scale: 20, min: 0, max: 120 }),
      range: [0, 120],
    },
  ],
  prediction: { kind: 'number', edges: fineEdges({ mean: 0, scale: 1 }), errorScale: 1 },
  confidence: null,
};

interface Row {
  readonly columns: number[];
  readonly prediction: number;
  readonly label: number;
}

/** Rows of one device: a height about 3, a colour, an age of which a tenth is missing, and a label beside the prediction. */
function rowsOf(device: number, count = 200): Row[] {
  const random = seededRandom('statistics', device);
  return Array.from({ length: count }, () => ({
    columns: [
      3 + 0.4 * normal(random),
      Math.floor(3 * uniform(random)),
      uniform(random) < 0.1 ? Number.NaN : 120 * uniform(random),
    ],
    prediction: normal(random),
    label: 7 + 2 * normal(random),
  }));
}

function numbersOf(binning: Binning, rows: readonly Row[]): Float32Array {
  const statistics = new OwnStatistics(binning, identityOf(binning));
  for (const { label, ...row } of rows) statistics.observe(row, label);
  return statistics.numbers(MINIMUM) as Float32Array;
}

function refused(binning: Binning, numbers: Float32Array) {
  const report = { recipe: binning.recipe, identity: identityOf(binning), numbers };
  return refuses(report, binning, identityOf(binning), MINIMUM, 'statistics');
}

const sumsOf = (binning: Binning, devices: readonly (readonly Row[])[]) =>
  withheld(
    sumOf(
      'statistics',
      binning,
      identityOf(binning),
      devices.map((rows) => numbersOf(binning, rows)),
    ),
    binning,
    5,
  );

const devices = Array.from({ length: 12 }, (_, device) => rowsOf(device));
const agreed = agreedBinning(first, sumsOf(first, devices));

describe('a reference made of statistics', () => {
  const reference = referenceOf(agreed, sumsOf(agreed, devices));

  it('has the mean and the standard deviation of each number, as computed in double precision', () => {
    expect(ReferenceSchema.parse(JSON.parse(JSON.stringify(reference)))).toEqual(reference);
    const all = devices.flat();
    const moments = (of: (row: Row) => number, by = devices) => {
      // Each device has the same weight.
      const means = by.map((rows) => {
        const values = rows.map(of).filter(Number.isFinite);
        return {
          mean: values.reduce((sum, one) => sum + one, 0) / values.length,
          square: values.reduce((sum, one) => sum + one ** 2, 0) / values.length,
        };
      });
      const mean = means.reduce((sum, one) => sum + one.mean, 0) / by.length;
      return {
        mean,
        deviation: Math.sqrt(means.reduce((sum, one) => sum + one.square, 0) / by.length - mean ** 2),
      };
    };
    expect(all).toHaveLength(2400);
    const known = [
      [reference.columns[0], moments(({ columns }) => columns[0] as number)],
      [reference.columns[2], moments(({ columns }) => columns[2] as number)],
    ] as const;
    for (const [column, { mean, deviation }] of known) {
      const moment = column?.kind === 'number' ? column.moment : undefined;
      expect(moment?.participants).toBe(12);
      expect(Math.abs((moment?.mean as number) / mean - 1)).toBeLessThan(1e-3);
      expect(Math.abs((moment?.deviation as number) / deviation - 1)).toBeLessThan(0.01);
    }
    const target = moments(({ label }) => label);
    // Far from the predictions: the labels have a span of their own.
    expect(Math.abs((reference.labels?.moment?.mean as number) / target.mean - 1)).toBeLessThan(0.01);
    expect(Math.abs((reference.labels?.moment?.deviation as number) / target.deviation - 1)).toBeLessThan(
      0.05,
    );
  });

  it('counts labels in the bins of the predictions, each device once', () => {
    const classes: Binning = {
      ...first,
      columns: first.columns.slice(0, 1),
      prediction: { kind: 'class', classes: 3 },
    };
    const of = (label: number, count: number): Row[] =>
      Array.from({ length: count }, () => ({ columns: [1], prediction: 0, label }));
    // Five devices with one label, ten with another, and many without any.
    const some = [
      ...Array.from({ length: 5 }, () => of(1, 100)),
      ...Array.from({ length: 10 }, () => of(2, 20)),
      ...Array.from({ length: 9 }, () => of(Number.NaN, 50)),
    ];
    const made = referenceOf(classes, sumsOf(classes, some));
    expect(made.labels?.spread.participants).toBe(15);
    for (const [i, share] of [0, 1 / 3, 2 / 3].entries())
      expect(made.labels?.spread.shares[i]).toBeCloseTo(share, 12);
    expect(made.prediction.spread).toMatchObject({ shares: [1, 0, 0], participants: 24 });
    expect(made.participants).toBe(24);
  });

  it('tells nothing of labels or moments of fewer devices than the least', () => {
    const [one, two] = [rowsOf(100), rowsOf(101)];
    const blind = (rows: readonly Row[]) =>
      rows.map((row) => ({ ...row, columns: [Number.NaN, ...row.columns.slice(1)], label: Number.NaN }));
    const sums = sumsOf(agreed, [one, two, ...[3, 4, 5, 6].map((device) => blind(rowsOf(device)))]);
    for (const name of ['label-present', 'label-inverse', 'label-shares', 'label-squares'])
      expect(sums.get(name)?.every((value) => value === 0)).toBe(true);
    const made = referenceOf(agreed, sums);
    expect(made.labels).toEqual({ spread: expect.objectContaining({ participants: 0 }) });
    expect(made.columns[0]).not.toHaveProperty('moment');
    expect(made.columns[2]).toHaveProperty('moment.participants', 6);
  });

  it('of noisy sums is one as well', () => {
    for (let seed = 0; seed < 20; seed++) {
      const made = referenceOf(agreed, noisy(sumsOf(agreed, devices), 3, seed), 9);
      expect(ReferenceSchema.parse(made)).toEqual(made);
    }
  });

  it('of an earlier version, without labels and moments, opens and keeps its hash', () => {
    const { labels: _labels, ...rest } = reference;
    const before = {
      ...rest,
      columns: rest.columns.map((column) => {
        if (column.kind === 'category') return column;
        const { span: _span, moment: _moment, ...known } = column;
        return known;
      }),
    } as Reference;
    const opened = ReferenceSchema.parse(JSON.parse(JSON.stringify(before)));
    expect(opened).toEqual(before);
    expect(identityOf(opened)).toBe(identityOf(before));
    expect(identityOf(reference)).not.toBe(identityOf(before));
  });
});

describe('statistics of a device', () => {
  it('are refused by nobody, and within the norm that noise is calibrated to, whatever it has', () => {
    const value = fc.oneof(fc.double(), fc.constant(Number.NaN), fc.integer({ min: -5, max: 130 }));
    const bound = largestNorm(agreed, MINIMUM, 'statistics');
    fc.assert(
      fc.property(
        fc.array(fc.tuple(value, value, value, value), { minLength: MINIMUM, maxLength: 40 }),
        (values) => {
          const numbers = numbersOf(
            agreed,
            values.map(([a, b, c, label]) => ({ columns: [a, b, c], prediction: 0, label })),
          );
          expect(refused(agreed, numbers)).toBeNull();
          expect(Math.hypot(...numbers)).toBeLessThanOrEqual(bound);
        },
      ),
    );
  });

  it('come near that norm where all numbers are at their bounds', () => {
    const rows = Array.from({ length: MINIMUM }, () => ({
      columns: [1e9, 0, 1e9],
      prediction: 1e9,
      label: 1e9,
    }));
    const gap = numbersOf(agreed, rows).reduce((sum, one) => sum + one ** 2, 0);
    const report = numbersOf(first, rows).reduce((sum, one) => sum + one ** 2, 0);
    // Six more: a mean and a mean square of each of three numbers.
    expect(gap - report).toBeCloseTo(6, 9);
    const norm = (of: Binning) => largestNorm(of, MINIMUM, 'statistics') ** 2;
    expect(norm(agreed) - norm(first)).toBeCloseTo(6, 9);
    // The labels: that they are there, their mass and its squares, and their inverse count.
    expect(norm(first) - largestNorm(first, MINIMUM) ** 2).toBeCloseTo(3.01, 9);
  });

  it.each([
    ['means', 0.5, 'report-moments', 'the square of the mean'],
    ['mean-squares', 0.25, 'report-moments', 'below'],
    ['mean-squares', 1, 'report-moments', 'above the mean'],
    ['means', 2, 'report-counts', 'no share'],
    ['label-shares', 1.5, 'report-counts', 'no share'],
    ['label-shares', 0.5, 'report-mass', 'the labels'],
    ['label-present', 0, 'report-mass', 'the labels'],
    ['label-inverse', 0, 'report-counts', 'the labels'],
    ['label-squares', 0.125, 'report-squares', 'label-squares'],
  ])('with an impossible number in "%s", %d, are refused as %s', (tensor, value, name, why) => {
    const rows = Array.from({ length: 20 }, (_, i) => ({ columns: [3, 0, 5], prediction: 0, label: i }));
    const numbers = numbersOf(agreed, rows);
    expect(refused(agreed, numbers)).toBeNull();
    const tensors = tensorsOf(statisticsLayout(agreed, identityOf(agreed)), numbers);
    const mean = tensors.get('means') as Float32Array;
    if (tensor === 'means' && value === 0.5) (tensors.get('mean-squares') as Float32Array)[0] = 0.125;
    if (tensor === 'mean-squares') mean[0] = 0.75;
    (tensors.get(tensor) as Float32Array)[0] = value;
    const refusal = refused(agreed, numbers);
    expect(refusal).toMatchObject({ name });
    expect(refusal?.why).toContain(why);
  });

  it('with moments of a column without a histogram are refused', () => {
    const rows = Array.from({ length: 20 }, () => ({ columns: [Number.NaN, 0, 5], prediction: 0, label: 1 }));
    const numbers = numbersOf(agreed, rows);
    expect(refused(agreed, numbers)).toBeNull();
    const tensors = tensorsOf(statisticsLayout(agreed, identityOf(agreed)), numbers);
    for (const name of ['means', 'mean-squares']) (tensors.get(name) as Float32Array)[0] = 0.5;
    expect(refused(agreed, numbers)).toMatchObject({
      name: 'report-counts',
      why: expect.stringContaining('height'),
    });
  });
});

describe('the span of a number', () => {
  it('is widened by the deciles, and ends with the plausible range', () => {
    const fine = [0, 1, 2, 3, 4, 5, 6];
    expect(spanOf(fine, [2, 3, 4], null)).toEqual([-1, 7]);
    expect(spanOf(fine, [2, 3, 4], [0, 6.5])).toEqual([0, 6.5]);
    expect(spanOf(fine, [2, 4], [0, Number.MAX_VALUE])).toEqual([0, 7]);
    // One value: the bins about it.
    expect(spanOf(fine, [3], null)).toEqual([2, 4]);
    // Values beyond the range alone.
    expect(spanOf(fine, [2, 4], [100, Number.MAX_VALUE])).toEqual([-1, 7]);
    expect(spanOf([3], [3], null)).toBeNull();
    expect(spanOf([-1e308, 1e308], [-1e308, 1e308], null)).toBeNull();
  });
});
