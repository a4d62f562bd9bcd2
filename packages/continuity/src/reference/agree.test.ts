import { normal, seededRandom, uniform } from '@coppice/ports';
import {
  contributionSize,
  type DataSchema,
  DataSchemaSchema,
  FRAME_HEADER_BYTES,
  PIECE_BYTES,
  recipeHash,
  type Task,
} from '@coppice/protocol';
import { describe, expect, it } from 'vitest';
import { Monitor } from '../monitor/monitor.ts';
import { reportLayout } from '../report/layout.ts';
import { sumOf } from '../report/population.testing.ts';
import { summarise } from '../report/summarise.ts';
import { agreedBinning, firstBinning } from './agree.ts';
import { type Binning, BinningSchema } from './binning.ts';
import { identityOf, ReferenceSchema, referenceOf } from './reference.ts';

const machines = DataSchemaSchema.parse({
  kind: 'table',
  features: [
    { name: 'temperature', mean: 60, scale: 5, min: 0, max: 120 },
    { name: 'load', mean: 3, scale: 2 },
    { kind: 'category', name: 'site', values: ['north', 'south'] },
    { name: 'pressure', min: 0 },
  ],
  target: { kind: 'number', name: 'wear', mean: 100, scale: 20 },
});
const digits = DataSchemaSchema.parse({
  kind: 'image',
  width: 28,
  height: 28,
  channels: 1,
  classes: ['0', '1', '2'],
});

const model: Task['model'] = {
  class_name: 'Sequential',
  config: { layers: [{ class_name: 'Dense', config: { name: 'output' } }] },
};

/** The sum of ten devices' reports on a binning, of machines. */
function sumsOn(binning: Binning, seed: string) {
  const identity = identityOf(binning);
  const random = seededRandom(seed);
  const reports = Array.from({ length: 10 }, () => {
    const monitor = new Monitor(binning, identity);
    for (let i = 0; i < 200; i++) {
      const columns = [70 + 3 * normal(random), Math.exp(normal(random)), Math.floor(3 * uniform(random)), 5];
      monitor.observe({ columns, prediction: 100 + 20 * normal(random) });
    }
    return summarise(monitor.state(), binning) as Float32Array;
  });
  return sumOf('report', binning, identity, reports);
}

describe('the first binning of a task', () => {
  it.each<[string, DataSchema]>([
    ['a table', machines],
    ['pictures', digits],
  ])('of %s is sound and names its recipe', (_, data) => {
    const first = firstBinning({ data, model });
    expect(BinningSchema.parse(first)).toEqual(first);
    expect(first.recipe).toBe(recipeHash(data));
  });

  it.each([1, 256, 257, 1000, 2000])('of %i columns is reported in one message', (columns) => {
    const features = Array.from({ length: columns }, (_, i) => ({ name: `column ${i}`, mean: 0, scale: 1 }));
    const target = { kind: 'class', name: 'target', classes: ['a', 'b'] };
    const first = firstBinning({ data: DataSchemaSchema.parse({ kind: 'table', features, target }), model });
    const numbers = contributionSize(reportLayout(first, identityOf(first)));
    expect(FRAME_HEADER_BYTES + 4 * numbers).toBeLessThanOrEqual(PIECE_BYTES);
    const [column] = first.columns;
    // As fine as it was where that fits.
    expect(column?.kind === 'number' && column.edges.length).toBe(
      columns <= 256 ? 255 : { 257: 254, 1000: 64, 2000: 31 }[columns],
    );
  });

  it('has the columns of the task with their plausible ranges, and brightness, contrast and features of pictures', () => {
    const { columns, prediction, confidence } = firstBinning({ data: machines, model });
    expect(columns.map((column) => (column.kind === 'number' ? column.range : column.values))).toEqual([
      [0, 120],
      null,
      2,
      [0, Number.MAX_VALUE],
    ]);
    expect([prediction.kind, confidence]).toEqual(['number', null]);
    const names = (of: Task['model']) =>
      firstBinning({ data: digits, model: of }).columns.map(({ name }) => name);
    const features = ['feature 1', 'feature 2', 'feature 3', 'feature 4'];
    expect(names(model)).toEqual(['brightness', 'contrast', ...features]);
    expect(names({ class_name: 'Sequential', config: [] })).toEqual(['brightness', 'contrast']);
    const pictures = firstBinning({ data: digits, model });
    expect(pictures).toMatchObject({ prediction: { kind: 'class', classes: 3 }, confidence: {} });
  });
});

describe('the agreed binning', () => {
  const first = firstBinning({ data: machines, model });
  const agreed = agreedBinning(first, sumsOn(first, 'first'));
  const reference = referenceOf(agreed, sumsOn(agreed, 'second'));

  it('gives bins of about equal shares to values that were not seen before', () => {
    expect(ReferenceSchema.parse(reference)).toEqual(reference);
    for (const spread of [
      reference.columns[0]?.spread,
      reference.columns[1]?.spread,
      reference.prediction.spread,
    ]) {
      expect(spread?.shares.length).toBeGreaterThanOrEqual(9);
      for (const share of spread?.shares ?? []) {
        expect(share).toBeGreaterThan(0.03);
        expect(share).toBeLessThan(0.2);
      }
    }
  });

  it('leaves categories as they are, and a column of one value with the bins about it', () => {
    expect(agreed.columns[2]).toEqual(first.columns[2]);
    const spread = reference.columns[3]?.spread;
    expect(Math.max(...(spread?.shares ?? []))).toBe(1);
  });

  it('holds errors against the range of four of five predictions', () => {
    const { prediction } = agreed;
    // Deciles of N(100, 20) lie 2.56 standard deviations apart.
    expect(prediction.kind === 'number' && Math.abs(prediction.errorScale / 51.3 - 1)).toBeLessThan(0.25);
  });

  it('of nothing has bins all the same', () => {
    const blind = agreedBinning(first, new Map());
    expect(BinningSchema.parse(blind)).toEqual(blind);
    expect(blind.columns[0]).toMatchObject({ edges: { length: 9 } });
  });
});
