import { describe, expect, it } from 'vitest';
import { targetError, targetOf, targetScaling, targetUnit } from './target.ts';
import type { DataSchema, TableData } from './task.ts';

const price: TableData = {
  kind: 'table',
  features: [{ name: 'x', mean: 5, scale: 7 }],
  target: { kind: 'number', name: 'price', unit: '€', mean: 1000, scale: 250 },
};
const plain: TableData = { ...price, target: { kind: 'number', name: 'price' } };
const classes: DataSchema = { kind: 'image', width: 1, height: 1, channels: 1, classes: ['a', 'b'] };

const of = (loss: number | null) => ({ loss });

describe('a numeric target', () => {
  it('is read from the output by its scaling, which is none where the task names none', () => {
    expect(targetOf(-2, price)).toBe(500);
    expect(targetOf(-2, plain)).toBe(-2);
    expect(targetScaling(classes)).toEqual({ mean: 0, scale: 1 });
  });

  it('has an error in its unit: the root of the mean square, computed on unscaled values', () => {
    const truths = [900, 1300, 1000];
    const outputs = [0, 1, -0.4];
    const squares = truths.map((truth, i) => ((outputs[i] as number) * 250 + 1000 - truth) ** 2);
    const error = Math.sqrt(squares.reduce((sum, one) => sum + one, 0) / 3);
    const loss =
      truths.map((truth, i) => ((outputs[i] as number) - (truth - 1000) / 250) ** 2).reduce((a, b) => a + b) /
      3;
    expect(targetError(of(loss), { data: price, loss: 'meanSquaredError' })).toBeCloseTo(error, 10);
    expect(targetError(of(4), { data: plain, loss: 'meanSquaredError' })).toBe(2);
    expect(targetError(of(null), { data: price, loss: 'meanSquaredError' })).toBeNull();
    expect(targetError(of(1), { data: classes, loss: 'categoricalCrossentropy' })).toBeNull();
    expect(targetError(of(1), { data: price, loss: 'huber' })).toBeNull();
    expect(targetError({ loss: 1, values: { rmse: 300 } }, { data: price, loss: 'huber' })).toBe(300);
    expect([price, plain, classes].map(targetUnit)).toEqual(['€', undefined, undefined]);
  });
});
