import { expect, it } from 'vitest';
import { CreateTaskSchema } from './api/http.ts';
import { recipeHash, requiresOfData } from './recipe.ts';
import { groupsOf, type TableData, TaskSchema } from './task.ts';
import { sampleTask } from './testing/samples.ts';
import { tolerant } from './tolerant.ts';

/* The column by whose values a task's errors are told apart. */

const values = (count: number) => Array.from({ length: count }, (_, i) => `value ${i}`);
const table: TableData = {
  kind: 'table',
  features: [
    { name: 'age', mean: 0, scale: 1 },
    { kind: 'category', name: 'device', values: values(15) },
    { kind: 'category', name: 'town', values: values(16) },
  ],
  target: { kind: 'class', name: 'taps', classes: ['no', 'yes'] },
};
const { samples: _samples, planDefaults: _defaults, ...stated } = sampleTask;
const faultOf = (groups: unknown) => {
  const { error } = CreateTaskSchema.safeParse({ ...stated, data: { ...table, groups } });
  return error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join() ?? null;
};

it('a new task may declare none, or a column of categories that makes sixteen groups at most', () => {
  expect(faultOf(undefined)).toBeNull();
  expect(faultOf('device')).toBeNull();
});

it.each([
  ['a column that there is not', 'colour', 'no column has the name "colour"'],
  ['the target', 'taps', 'no column has the name "taps"'],
  ['a column of numbers', 'age', 'the column "age" is one of numbers'],
  [
    'a column with too many values',
    'town',
    'the column "town" makes 17 groups, one of them for any other value. 16 are the most',
  ],
])('a new task cannot declare %s', (_, groups, why) => {
  expect(faultOf(groups)).toContain(`data.groups: ${why}`);
});

it('they are read where a task travels, and change neither its recipe nor what it requires', () => {
  const data = { ...table, groups: 'device' };
  const read = tolerant(TaskSchema).parse({ ...sampleTask, data }).data;
  expect(groupsOf(read)).toEqual({ column: 1, feature: table.features[1] });
  expect(groupsOf(table)).toBeNull();
  expect(groupsOf({ ...table, groups: 'age' })).toBeNull();
  expect(recipeHash(data)).toBe(recipeHash(table));
  expect(requiresOfData(data)).toEqual(requiresOfData(table));
});
