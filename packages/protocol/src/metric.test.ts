import { describe, expect, it } from 'vitest';
import {
  defaultMetrics,
  faultOfTarget,
  faultsOfObjective,
  fittingMetrics,
  reachesTarget,
  type TaskObjective,
} from './metric.ts';
import { defaultPlan } from './plan/plan.ts';
import { requiresOfData, requiresOfObjective } from './recipe.ts';
import { targetColumns, targetOf, targetSize, targetUnit } from './target.ts';
import { type DataSchema, type TableData, TableDataSchema } from './task.ts';

const picture = (classes: number): DataSchema => ({
  kind: 'image',
  width: 2,
  height: 2,
  channels: 1,
  classes: Array.from({ length: classes }, (_, i) => `c${i}`),
});
const features: TableData['features'] = [{ name: 'x', mean: 0, scale: 1 }];
const number: TableData = { kind: 'table', features, target: { kind: 'number', name: 'y' } };
const numbers: TableData = TableDataSchema.parse({
  kind: 'table',
  features,
  target: {
    kind: 'numbers',
    name: 'forces',
    columns: [
      { name: 'fx', unit: 'N' },
      { name: 'fy', unit: 'kN', mean: 5, scale: 2 },
    ],
  },
});

describe('a new task', () => {
  it.each<[string, TaskObjective, string[]]>([
    ['no loss', { data: picture(2) }, []],
    ['a binary loss of two classes', { data: picture(2), loss: 'binaryCrossentropy' }, []],
    ['a binary loss of three', { data: picture(3), loss: 'binaryCrossentropy' }, ['loss']],
    ['a loss of numbers for classes', { data: picture(2), loss: 'huber' }, ['loss']],
    ['a loss of classes for numbers', { data: numbers, loss: 'categoricalCrossentropy' }, ['loss']],
    ['δ of Huber', { data: number, loss: 'huber', huberDelta: 2 }, []],
    ['δ of another loss', { data: number, loss: 'meanSquaredError', huberDelta: 2 }, ['huberDelta']],
    ['a weight for each class', { data: picture(3), classWeights: [1, 2, 3] }, []],
    ['too few weights', { data: picture(3), classWeights: [1, 2] }, ['classWeights']],
    ['weights of a number', { data: number, classWeights: [1, 2] }, ['classWeights']],
    ['areas of ten classes', { data: picture(10), metrics: ['auroc', 'prAuc'] }, []],
    ['an area of eleven', { data: picture(11), metrics: ['auroc', 'f1'] }, ['metrics']],
    ['an error of classes', { data: picture(2), metrics: ['rmse'] }, ['metrics']],
    ['a recall of numbers', { data: number, metrics: ['recall'] }, ['metrics']],
    ['a threshold of two classes', { data: picture(2), threshold: 0.3 }, []],
    ['a threshold of three', { data: picture(3), threshold: 0.3 }, ['threshold']],
  ])('with %s has the faults that are named', (_, task, fields) => {
    expect(faultsOfObjective(task).map(({ field }) => field)).toEqual(fields);
  });

  it('has measures by default that fit its data', () => {
    for (const data of [picture(2), picture(3), picture(200), number, numbers])
      expect(fittingMetrics(data)).toEqual(expect.arrayContaining(defaultMetrics(data)));
  });
});

describe('several numbers', () => {
  it('have a label, a unit and a scaling each', () => {
    expect([number, numbers, picture(2)].map(targetSize)).toEqual([1, 2, 1]);
    expect(targetColumns(numbers).map(({ name, unit }) => [name, unit])).toEqual([
      ['fx', 'N'],
      ['fy', 'kN'],
    ]);
    expect([0, 1].map((column) => targetOf(3, numbers, column))).toEqual([3, 11]);
    expect(targetUnit(numbers)).toBeUndefined();
    expect(requiresOfData(numbers)).toEqual(['data:scaled-target', 'data:numbers']);
  });

  it('are refused where two have one name, or there is one alone', () => {
    const of = (...names: string[]) =>
      TableDataSchema.safeParse({
        ...numbers,
        target: { kind: 'numbers', name: 'y', columns: names.map((name) => ({ name })) },
      }).success;
    expect([of('a', 'b'), of('a', 'a'), of('a')]).toEqual([true, false, false]);
  });
});

it('requires of participants what its loss, weights and measures need', () => {
  expect(requiresOfObjective({ loss: 'categoricalCrossentropy' })).toEqual([]);
  expect(requiresOfObjective({ loss: 'huber', metrics: [] })).toEqual(['loss:huber']);
  expect(requiresOfObjective({ loss: 'binaryCrossentropy', classWeights: [1, 2], metrics: ['f1'] })).toEqual([
    'loss:binary-crossentropy',
    'loss:class-weights',
    'measure:metrics',
  ]);
});

describe('a run that ends early', () => {
  const metrics = { loss: 0.5, accuracy: 0.8, values: { auroc: 0.9, rmse: 12, r2: null } };
  it.each([
    [{}, false],
    [{ targetAccuracy: 0.8 }, true],
    [{ targetAccuracy: 0.81 }, false],
    [{ targetMetric: 'accuracy', targetValue: 0.7 }, true],
    [{ targetMetric: 'loss', targetValue: 0.5 }, true],
    [{ targetMetric: 'loss', targetValue: 0.4 }, false],
    [{ targetMetric: 'auroc', targetValue: 0.9 }, true],
    [{ targetMetric: 'auroc', targetValue: 0.95 }, false],
    [{ targetMetric: 'rmse', targetValue: 15 }, true],
    [{ targetMetric: 'rmse', targetValue: 10 }, false],
    [{ targetMetric: 'r2', targetValue: -5 }, false],
    [{ targetMetric: 'mae', targetValue: 99 }, false],
    [{ targetMetric: 'auroc', targetAccuracy: 0.8 }, true],
  ] as const)('by %j: %s', (plan, reached) => {
    expect(reachesTarget({ ...defaultPlan, ...plan }, metrics)).toBe(reached);
    expect(reachesTarget({ ...defaultPlan, ...plan }, null)).toBe(false);
  });

  it('names a measure that its task has', () => {
    const task = { data: picture(2), metrics: ['auroc' as const] };
    const of = (
      targetMetric: typeof defaultPlan.targetMetric,
      target: Pick<TaskObjective, 'data' | 'metrics'>,
    ) => faultOfTarget({ targetMetric, targetValue: 0.5 }, target);
    expect([of('auroc', task), of('accuracy', task), of('loss', task)]).toEqual([null, null, null]);
    expect(of('f1', task)).toContain('f1');
    expect(of('accuracy', { data: number })).toContain('accuracy');
    expect(faultOfTarget({ targetMetric: 'f1', targetValue: null }, task)).toBeNull();
  });
});
