import { describe, expect, it } from 'vitest';
import { recipeHash, requiresOfData } from './recipe.ts';
import { agreedColumns, awaitsScaling, hasAgreedScaling, scalingIn, withScaling } from './scaling.ts';
import { type TableData, TableDataSchema } from './task.ts';

const open: TableData = TableDataSchema.parse({
  kind: 'table',
  features: [
    { name: 'rooms', min: 1, max: 20 },
    { kind: 'category', name: 'colour', values: ['red'] },
    { name: 'age', min: 0, max: 200 },
  ],
  target: { kind: 'number', name: 'price', unit: '$', min: 0, max: 1_000_000 },
  scaling: 'agreed',
});
const scaling = { participants: 4, examples: 90, means: [6.5, 70, 2e5], scales: [0.7, 28, 9e4] };
const agreed = withScaling(open, scaling);

describe('an agreed scaling', () => {
  it('is of columns of numbers and of a numeric target', () => {
    expect(agreedColumns(open).map(({ name, column }) => [name, column])).toEqual([
      ['rooms', 0],
      ['age', 2],
      ['price', null],
    ]);
    const target: TableData['target'] = { kind: 'class', name: 'kind', classes: ['a', 'b'] };
    expect(agreedColumns({ ...open, target }).map(({ name }) => name)).toEqual(['rooms', 'age']);
    const { scaling: _scaling, ...given } = open;
    expect(agreedColumns(given)).toEqual([]);
  });

  it('is awaited until it is there, and read back', () => {
    expect([awaitsScaling(open), hasAgreedScaling(open), scalingIn(open)]).toEqual([true, true, null]);
    expect([awaitsScaling(agreed), hasAgreedScaling(agreed)]).toEqual([false, true]);
    expect(scalingIn(agreed)).toEqual(scaling);
    expect(TableDataSchema.parse(agreed)).toEqual(agreed);
  });

  it('gives the recipe of a task with the same scaling given', () => {
    const { scaling: _scaling, agreed: _agreed, ...given } = agreed;
    expect(recipeHash(agreed)).toBe(recipeHash(given));
    expect(recipeHash(open)).not.toBe(recipeHash(agreed));
    const { scaling: _open, ...unscaled } = open;
    expect(recipeHash(open)).not.toBe(recipeHash(unscaled));
  });

  it('requires a capability while it is awaited', () => {
    expect(requiresOfData(open)).toContain('data:agreed-scaling');
    expect(requiresOfData(agreed)).not.toContain('data:agreed-scaling');
  });

  it('of other columns is refused', () => {
    expect(() => withScaling(open, { ...scaling, means: [1] })).toThrow(RangeError);
  });

  it('is of several numbers, each for itself', () => {
    const target: TableData['target'] = {
      kind: 'numbers',
      name: 'place',
      columns: [
        { name: 'x', min: 0, max: 9 },
        { name: 'y', min: -1, max: 1 },
      ],
    };
    const several = { ...open, target };
    expect(agreedColumns(several).map(({ name, output }) => [name, output])).toEqual([
      ['rooms', 0],
      ['age', 0],
      ['x', 0],
      ['y', 1],
    ]);
    const both = { ...scaling, means: [6.5, 70, 4, 0.5], scales: [0.7, 28, 2, 0.25] };
    expect(withScaling(several, both).target).toMatchObject({
      columns: [
        { name: 'x', mean: 4, scale: 2 },
        { name: 'y', mean: 0.5, scale: 0.25 },
      ],
    });
    expect(scalingIn(withScaling(several, both))).toEqual(both);
  });
});
