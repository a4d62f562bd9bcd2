import type { ImageData, TableData } from '@coppice/protocol';
import { assert, expect, it } from 'vitest';
import { describeInput } from './input-description.ts';
import { normaliseFeatures } from './normalise.ts';
import { readRow } from './read-row.ts';

it('a stranger makes the inputs of a row from the description alone', () => {
  const data: TableData = {
    kind: 'table',
    features: [
      { name: 'length', unit: 'cm', mean: 5, scale: 2 },
      { kind: 'category', name: 'wood', values: ['oak', 'elm'] },
      { kind: 'number', name: 'age', mean: -1.5, scale: 0.25 },
    ],
    target: { kind: 'number', name: 'price' },
  };
  const input = describeInput(data);
  assert(input.kind === 'table');
  expect(input.columns[0]).toEqual({
    kind: 'number',
    name: 'length',
    at: 0,
    unit: 'cm',
    mean: 5,
    scale: 2,
  });
  for (const row of [
    { length: 9, wood: 'elm', age: 3 },
    { length: -1, wood: 'ash', age: 0 },
  ] as const) {
    const xs = new Float32Array(...input.shape);
    for (const column of input.columns) {
      if (column.kind === 'number') {
        xs[column.at] = (row[column.name as 'length' | 'age'] - column.mean) / column.scale;
      } else {
        const place = column.values.indexOf(row.wood);
        xs[column.at + (place < 0 ? column.values.length : place)] = 1;
      }
    }
    expect(xs).toEqual(normaliseFeatures(readRow(row, data), data));
  }
});

it('tells the shape of a picture as rows, columns, channels, and how it is cut', () => {
  const data: ImageData = { kind: 'image', width: 32, height: 24, channels: 3, classes: ['a', 'b'] };
  expect(describeInput(data)).toMatchObject({
    shape: [24, 32, 3],
    channels: 'rgb',
    luma: null,
    crop: 'cover',
    ink: 'any',
    range: [0, 1],
  });
  expect(describeInput({ ...data, channels: 1, ink: 'light-on-dark' })).toMatchObject({
    shape: [24, 32, 1],
    channels: 'grey',
    luma: [0.299, 0.587, 0.114],
    crop: 'ink',
    ink: 'light-on-dark',
  });
});
