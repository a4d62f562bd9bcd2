import type { DataSchema } from '@coppice/protocol';
import { expect, it } from 'vitest';
import type { RawExamples } from './examples.ts';
import { checkQuality } from './quality.ts';

const table: DataSchema = {
  kind: 'table',
  features: ['a', 'b'].map((name) => ({ name, mean: 0, scale: 1 })),
  target: { kind: 'class', name: 'c', classes: ['x', 'y', 'z'] },
};

function examples(rows: [number, number, number][]): RawExamples {
  return {
    count: rows.length,
    features: Float32Array.from(rows.flatMap((row) => row.slice(0, 2))),
    labels: Float32Array.from(rows.map(([, , label]) => label)),
  };
}

const fine = Array.from({ length: 60 }, (_, i): [number, number, number] => [i, i / 7, i % 3]);

it('finds nothing in good data, nor in none', () => {
  expect(checkQuality(examples(fine), table)).toEqual([]);
  expect(checkQuality(examples([]), table)).toEqual([]);
});

it('counts exact copies; the same values under another label are no copy', () => {
  const copied = [...fine, fine[0], fine[0], fine[7], [0, 0, 2]] as [number, number, number][];
  expect(checkQuality(examples(copied), table)).toEqual([{ kind: 'duplicates', count: 3 }]);
});

it('names tiny and missing classes, and a lopsided balance', () => {
  const rows = fine.filter(([, , label], i) => label === 0 || (label === 1 && i < 5));
  expect(checkQuality(examples(rows), table)).toEqual([
    { kind: 'tiny-class', name: 'y', count: 2 },
    { kind: 'tiny-class', name: 'z', count: 0 },
    { kind: 'imbalance', largest: 'x', smallest: 'y', ratio: 10 },
  ]);
});

it('names columns that never change, in a table of numbers too', () => {
  const rows = fine.map(([a, , label]): [number, number, number] => [a, 4, label]);
  const regression: DataSchema = { ...table, target: { kind: 'number', name: 'c' } };
  for (const schema of [table, regression]) {
    expect(checkQuality(examples(rows), schema)).toEqual([{ kind: 'constant-column', name: 'b', value: 4 }]);
  }
});

it('knows categories: the name of a constant one, and values that the task does not list', () => {
  const schema: DataSchema = {
    ...table,
    features: [
      { kind: 'category', name: 'a', values: ['red', 'blue'] },
      { kind: 'category', name: 'b', values: ['big', 'small'] },
    ],
  };
  const rows = (other: number) =>
    fine.map(([, , label], i): [number, number, number] => [1, i < other ? 2 : i % 2, label]);
  const found = (other: number) =>
    checkQuality(examples(rows(other)), schema).filter(({ kind }) => kind !== 'duplicates');
  const constant = { kind: 'constant-column', name: 'a', value: 'blue' };
  expect(found(30)).toEqual([constant]);
  expect(found(31)).toEqual([constant, { kind: 'mostly-unlisted', name: 'b', count: 31 }]);
});

it('says nothing about pixels that never change', () => {
  const pictures: DataSchema = { kind: 'image', width: 2, height: 1, channels: 1, classes: ['x', 'y', 'z'] };
  const rows = fine.map(([a, , label]): [number, number, number] => [a, 0, label]);
  expect(
    checkQuality({ ...examples(rows), features: Uint8Array.from(examples(rows).features) }, pictures),
  ).toEqual([]);
});
