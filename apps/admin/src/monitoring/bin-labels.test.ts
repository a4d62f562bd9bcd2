import type { Binning } from '@coppice/continuity';
import type { DataSchema } from '@coppice/protocol';
import { expect, it } from 'vitest';
import { binLabels, groupLabel } from './bin-labels.ts';

const data: DataSchema = {
  kind: 'table',
  features: [
    { name: 'age', mean: 0, scale: 1 },
    { kind: 'category', name: 'tree', values: ['oak', 'elm'] },
  ],
  target: { kind: 'class', name: 'kind', classes: ['good', 'bad'] },
};
const binning: Binning = {
  version: 1,
  recipe: 'a'.repeat(64),
  columns: [
    { kind: 'number', name: 'age', edges: [10, 20, 30], range: null },
    { kind: 'category', name: 'tree', values: 2 },
  ],
  prediction: { kind: 'class', classes: 2 },
  confidence: { edges: [0.5] },
};
const of = (role: 'input' | 'prediction' | 'confidence', name: string, bins: number) => ({
  role,
  name,
  reference: new Array<number>(bins).fill(1 / bins),
});

it('names the bins of a number by the edges between them', () => {
  expect(binLabels(of('input', 'age', 4), data, binning)).toEqual([
    { kind: 'below', edge: 10 },
    { kind: 'between', low: 10, high: 20 },
    { kind: 'between', low: 20, high: 30 },
    { kind: 'from', edge: 30 },
  ]);
  expect(binLabels(of('confidence', '', 2), data, binning)).toEqual([
    { kind: 'below', edge: 0.5 },
    { kind: 'from', edge: 0.5 },
  ]);
});

it('names categories and classes as the task does, also without bins', () => {
  expect(binLabels(of('input', 'tree', 3), data, null)).toEqual([
    { kind: 'value', name: 'oak' },
    { kind: 'value', name: 'elm' },
    { kind: 'other' },
  ]);
  expect(binLabels(of('prediction', '', 2), data, null)).toEqual([
    { kind: 'value', name: 'good' },
    { kind: 'value', name: 'bad' },
  ]);
});

it('numbers bins of which it knows nothing, or that are of another reference', () => {
  const numbered = [
    { kind: 'bin', number: 1 },
    { kind: 'bin', number: 2 },
  ];
  expect(binLabels(of('input', 'age', 2), data, null)).toEqual(numbered);
  expect(binLabels(of('input', 'age', 2), data, binning)).toEqual(numbered);
  expect(binLabels(of('input', 'gone', 2), data, binning)).toEqual(numbered);
});

it('names a group by the value of its column, and numbers one of which it knows nothing', () => {
  const grouped: DataSchema = { ...data, groups: 'tree' };
  expect([0, 1, 2, 3].map((value) => groupLabel(value, grouped))).toEqual([
    { kind: 'value', name: 'oak' },
    { kind: 'value', name: 'elm' },
    { kind: 'other' },
    { kind: 'bin', number: 4 },
  ]);
  expect(groupLabel(0, data)).toEqual({ kind: 'bin', number: 1 });
  expect(groupLabel(1, null)).toEqual({ kind: 'bin', number: 2 });
});
