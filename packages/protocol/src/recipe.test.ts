import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { recipeHash, requiresOfData } from './recipe.ts';
import { type DataSchema, type ImageData, type TableData, TableDataSchema } from './task.ts';

const picture: ImageData = { kind: 'image', width: 28, height: 20, channels: 1, classes: ['a', 'b'] };
const table: TableData = {
  kind: 'table',
  features: [
    { name: 'length', mean: 14.5, scale: 2 },
    { kind: 'category', name: 'kind', values: ['oak', 'elm'] },
  ],
  target: { kind: 'number', name: 'price', mean: 1000, scale: 250 },
};
const [length, kind] = table.features as [TableData['features'][0], TableData['features'][0]];
const classes: TableData = { ...table, target: { kind: 'class', name: 'state', classes: ['x', 'y'] } };

describe('the recipe hash', () => {
  it.each<[string, DataSchema, DataSchema]>([
    ['where pictures can be drawn', picture, { ...picture, drawable: true }],
    ['how ink is said to be left alone', picture, { ...picture, ink: 'any' }],
    ['a range of pixels that is that of most tasks', picture, { ...picture, range: '0-1' }],
    [
      'units, ranges, help and the kind of a number',
      table,
      {
        ...table,
        features: [
          { ...length, kind: 'number', unit: 'cm', min: 0, max: 20 } as typeof length,
          { ...kind, help: { en: 'Of the tree.' } } as typeof kind,
        ],
        target: { ...table.target, unit: '€' } as typeof table.target,
      },
    ],
    [
      'a scaling that changes nothing',
      { ...table, target: { kind: 'number', name: 'price' } },
      { ...table, target: { kind: 'number', name: 'price', mean: -0, scale: 1 } },
    ],
  ])('does not depend on %s', (_, one, other) => {
    expect(recipeHash(other)).toBe(recipeHash(one));
  });

  it('differs with everything that decides the numbers', () => {
    const of = (features: readonly object[], target: object = table.target): DataSchema =>
      TableDataSchema.parse({ kind: 'table', features, target });
    const all: DataSchema[] = [
      picture,
      { ...picture, width: 20, height: 28 },
      { ...picture, channels: 3 },
      { ...picture, ink: 'light-on-dark' },
      { ...picture, range: '-1-1' },
      { ...picture, range: '0-255' },
      { ...picture, classes: ['b', 'a'] },
      { ...picture, classes: ['a', 'b', 'c'] },
      table,
      classes,
      { ...classes, target: { kind: 'class', name: 'state', classes: ['y', 'x'] } },
      { ...classes, target: { kind: 'class', name: 'status', classes: ['x', 'y'] } },
      of([kind, length]),
      of([length]),
      of([{ ...length, name: 'width' }, kind]),
      of([{ ...length, mean: 14.500000000000002 }, kind]),
      of([{ ...length, scale: 4 }, kind]),
      of([length, { ...kind, values: ['elm', 'oak'] }]),
      of([length, { ...kind, values: ['oak', 'elm', 'ash'] }]),
      of([length, { ...kind, name: 'sort' }]),
      of(table.features, { kind: 'number', name: 'price', mean: 1000 }),
      of(table.features, { kind: 'number', name: 'price', scale: 250 }),
      of(table.features, { kind: 'number', name: 'cost', mean: 1000, scale: 250 }),
      // Names that run into each other where they are not counted.
      of([length, { ...kind, values: ['oak\n3:elm'] }]),
      of([length, { ...kind, values: ['oak', '3:elm'] }]),
    ];
    const hashes = all.map(recipeHash);
    expect(new Set(hashes).size).toBe(all.length);
    for (const hash of hashes) expect(hash).toMatch(/^[0-9a-f]{64}$/);
  });

  it('is that of the schema as it travels', () => {
    const number = fc.double({ noNaN: true, noDefaultInfinity: true });
    const positive = fc.double({ min: Number.MIN_VALUE, noNaN: true, noDefaultInfinity: true });
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter((one) => /\S/.test(one));
    const feature = fc.oneof(
      fc.record({ name: text, mean: number, scale: positive }),
      fc.record({
        kind: fc.constant('category' as const),
        name: text,
        values: fc.array(text, { minLength: 1, maxLength: 5 }),
      }),
    );
    const target = fc.record({
      kind: fc.constant('number' as const),
      name: text,
      mean: number,
      scale: positive,
    });
    fc.assert(
      fc.property(fc.array(feature, { minLength: 1, maxLength: 5 }), target, (features, to) => {
        const data: TableData = { kind: 'table', features, target: to };
        const read = TableDataSchema.parse(JSON.parse(JSON.stringify(data)));
        expect(recipeHash(read)).toBe(recipeHash(data));
      }),
    );
  });
});

describe('the capabilities that data require', () => {
  it('are of categories, and of targets that are really scaled', () => {
    expect(requiresOfData(picture)).toEqual([]);
    expect(requiresOfData({ ...picture, range: '0-1' })).toEqual([]);
    expect(requiresOfData({ ...picture, range: '-1-1' })).toEqual(['data:picture-range']);
    expect(requiresOfData(table)).toEqual(['data:category', 'data:scaled-target']);
    expect(requiresOfData(classes)).toEqual(['data:category']);
    const plain = { ...table, features: [length] };
    expect(requiresOfData(plain)).toEqual(['data:scaled-target']);
    expect(requiresOfData({ ...plain, target: { kind: 'number', name: 'y', mean: 0, scale: 1 } })).toEqual(
      [],
    );
    expect(requiresOfData({ ...plain, target: { kind: 'number', name: 'y' } })).toEqual([]);
  });
});
