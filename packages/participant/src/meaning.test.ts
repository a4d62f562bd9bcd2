import type { DataSchema, TableData } from '@coppice/protocol';
import { expect, it } from 'vitest';
import type { Block } from './examples.ts';
import { ID_BYTES } from './marks.ts';
import { inMeaning, meaningOf, sameMeaning } from './meaning.ts';

const number = (name: string) => ({ name, mean: 0, scale: 1 });
const fruit: TableData = {
  kind: 'table',
  features: [
    number('length'),
    number('width'),
    { kind: 'category', name: 'colour', values: ['red', 'green'] },
  ],
  target: { kind: 'class', name: 'kind', classes: ['apple', 'pear'] },
};
/** Apples of length 10, pears of width 20; the last has a colour that is not listed. */
const block = (): Block => ({
  source: 'csv',
  count: 3,
  features: Float32Array.of(10, 1, 0, 2, 20, 1, 11, 3, 2),
  labels: Float32Array.of(0, 1, 0),
  ids: Uint8Array.from({ length: 3 * ID_BYTES }, (_, at) => Math.floor(at / ID_BYTES)),
  times: Float64Array.of(1, 2, 3),
});
const read = (to: DataSchema, from: DataSchema = fruit) => inMeaning(block(), meaningOf(from), meaningOf(to));

it('takes examples as they are where only scaling, units or ranges differ', () => {
  const scaled: TableData = {
    ...fruit,
    features: [{ ...number('length'), mean: 5, scale: 2, unit: 'cm', max: 90 }, ...fruit.features.slice(1)],
  };
  expect(sameMeaning(meaningOf(fruit), meaningOf(scaled))).toBe(true);
  const kept = block();
  expect(inMeaning(kept, meaningOf(fruit), meaningOf(scaled))).toBe(kept);
});

it('finds columns, categories and classes by name where their order is another', () => {
  const turned: TableData = {
    kind: 'table',
    features: [
      { kind: 'category', name: 'colour', values: ['green', 'red'] },
      number('width'),
      number('length'),
    ],
    target: { kind: 'class', name: 'kind', classes: ['pear', 'plum', 'apple'] },
  };
  expect(read(turned)).toEqual({
    ...block(),
    features: Float32Array.of(1, 1, 10, 0, 20, 2, 2, 3, 11),
    labels: Float32Array.of(2, 0, 2),
  });
});

it('leaves out examples of a class that the task has no more', () => {
  const pears: TableData = { ...fruit, target: { kind: 'class', name: 'kind', classes: ['pear', 'plum'] } };
  expect(read(pears)).toEqual({
    source: 'csv',
    count: 1,
    features: Float32Array.of(2, 20, 1),
    labels: Float32Array.of(0),
    ids: new Uint8Array(ID_BYTES).fill(1),
    times: Float64Array.of(2),
  });
});

it('leaves out a value that was not listed where it may be one of the new ones', () => {
  const colours = (...values: string[]): TableData => ({
    ...fruit,
    features: [number('length'), number('width'), { kind: 'category', name: 'colour', values }],
  });
  expect(read(colours('red', 'green', 'yellow'))?.count).toBe(2);
  const fewer = read(colours('green'));
  expect([...(fewer?.features ?? [])]).toEqual([10, 1, 1, 2, 20, 0, 11, 3, 1]);
});

it.each<[string, DataSchema]>([
  ['a missing column', { ...fruit, features: [...fruit.features, number('weight')] }],
  [
    'a number that was a category',
    { ...fruit, features: [number('length'), number('width'), number('colour')] },
  ],
  ['another target', { ...fruit, target: { kind: 'class', name: 'taste', classes: ['apple', 'pear'] } }],
  ['a number as the target', { ...fruit, target: { kind: 'number', name: 'kind' } }],
  ['pictures', { kind: 'image', width: 3, height: 1, channels: 1, classes: ['apple', 'pear'] }],
])('sets all examples aside: %s', (_, to) => {
  expect(read(to)).toBeNull();
});

it('finds several targets by their names', () => {
  const sizes = (...names: string[]): TableData => ({
    ...fruit,
    target: { kind: 'numbers', name: 'sizes', columns: names.map((name) => ({ name })) },
  });
  const pairs = { ...block(), labels: Float32Array.of(1, 10, 2, 20, 3, 30) };
  const into = (to: TableData) => inMeaning(pairs, meaningOf(sizes('small', 'large')), meaningOf(to));
  expect(into(sizes('large', 'small'))).toEqual({ ...pairs, labels: Float32Array.of(10, 1, 20, 2, 30, 3) });
  expect(into(sizes('large'))?.labels).toEqual(Float32Array.of(10, 20, 30));
  expect(into(sizes('large', 'other'))).toBeNull();
  expect(into(fruit)).toBeNull();
});

it('takes pictures of the same size and ink, with their classes by name', () => {
  const pictures = (more: object): DataSchema => ({
    kind: 'image',
    width: 3,
    height: 1,
    channels: 1,
    classes: ['a', 'b'],
    ...more,
  });
  const bytes: Block = { ...block(), features: Uint8Array.from({ length: 9 }, (_, at) => at) };
  const into = (more: object) => inMeaning(bytes, meaningOf(pictures({})), meaningOf(pictures(more)));
  expect(into({ classes: ['b', 'a'] })).toEqual({ ...bytes, labels: Float32Array.of(1, 0, 1) });
  expect(into({ drawable: true, ink: 'any' })).toBe(bytes);
  expect(into({ width: 1, height: 3 })).toBeNull();
  expect(into({ ink: 'light-on-dark' })).toBeNull();
});

it('finds the numbers of a target by name where their order is another, and none where one is new', () => {
  const forces = (...names: string[]): TableData => ({
    ...fruit,
    target: { kind: 'numbers', name: 'forces', columns: names.map((name) => ({ name })) },
  });
  const kept: Block = { ...block(), labels: Float32Array.of(1, 2, 3, 4, 5, 6) };
  const from = meaningOf(forces('fx', 'fy'));
  expect([...(inMeaning(kept, from, meaningOf(forces('fy', 'fx')))?.labels ?? [])]).toEqual([
    2, 1, 4, 3, 6, 5,
  ]);
  expect(inMeaning(kept, from, meaningOf(forces('fx', 'fz')))).toBeNull();
  expect(
    inMeaning(kept, from, meaningOf({ ...fruit, target: { kind: 'number', name: 'forces' } })),
  ).toBeNull();
  expect(sameMeaning(from, meaningOf(forces('fx', 'fy')))).toBe(true);
});
