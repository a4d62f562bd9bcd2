import type { Feature } from '@coppice/protocol';
import { describe, expect, it } from 'vitest';
import { columnOf, lineOf } from './column-lines.ts';

describe('a line of the form', () => {
  it.each([
    ['length', { name: 'length', mean: 0, scale: 1 }],
    ['length: mean 14.5, scale 2', { name: 'length', mean: 14.5, scale: 2 }],
    ['length: Mean -1e3', { name: 'length', mean: -1000, scale: 1 }],
    ['length: scale .5', { name: 'length', mean: 0, scale: 0.5 }],
    ['length: min 0, max 30, unit cm', { name: 'length', mean: 0, scale: 1, min: 0, max: 30, unit: 'cm' }],
    ['kind: oak | elm', { kind: 'category', name: 'kind', values: ['oak', 'elm'] }],
    ['kind: oak |', { kind: 'category', name: 'kind', values: ['oak'] }],
    ['kind of tree: 1:1 | 1: 2', { kind: 'category', name: 'kind of tree', values: ['1:1', '1: 2'] }],
    ['种类：橡树｜榆树', { kind: 'category', name: '种类', values: ['橡树', '榆树'] }],
    ['面积：mean 3，scale 4', { name: '面积', mean: 3, scale: 4 }],
  ])('says what column it is: %s', (line, column) => {
    expect(columnOf(line)).toEqual(column);
  });

  it.each(['ratio 1:2', 'ratio: of both', 'length: mean', 'length: mean x, scale 2', ': a'])(
    'is a name where nothing else fits: %s',
    (line) => {
      expect(columnOf(line)).toEqual({ name: line, mean: 0, scale: 1 });
    },
  );

  it.each<Feature>([
    { name: 'length', mean: 14.5, scale: 2, min: 0, max: 1e21, unit: 'm/s' },
    { name: 'a: b', mean: 0, scale: 1, min: -1.5e-7 },
    { kind: 'category', name: 'tree', values: ['oak', 'elm, or so'] },
    { kind: 'category', name: 'one', values: ['oak'] },
    { name: 'plain', mean: 0, scale: 1 },
  ])('is written as it is read', (column) => {
    expect(columnOf(lineOf(column))).toEqual(column);
  });
});
