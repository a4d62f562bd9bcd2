import { seededRandom, shuffle } from '@coppice/ports';
import { sectionsOf, type TensorSpec } from '@coppice/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { float32Values } from '../codecs/values.ts';
import { finish } from '../steps.ts';
import { ExactSum } from './exact.ts';
import { RowsSum } from './rows-sum.ts';
import type { Limits, Sum } from './sum.ts';

const spec = (name: string, group: string, more: Partial<TensorSpec> = {}): TensorSpec => ({
  name,
  shape: [3],
  role: 'step',
  group,
  unit: 2 ** -36,
  bound: null,
  weighted: 'weight',
  precision: 'single',
  ...more,
});
const sections = sectionsOf([
  spec('w', 'model'),
  spec('c', 'control', { weighted: 'one' }),
  spec('examples', 'measures', { shape: [], role: 'measure', unit: 1, weighted: 'one' }),
]);
const contribution = (model: readonly number[], control: readonly number[], examples: number) => ({
  vectors: new Map([
    ['model', float32Values(Float32Array.from(model))],
    ['control', float32Values(Float32Array.from(control))],
  ]),
  measures: new Map([['examples', Float64Array.of(examples)]]),
});
const NONE = Number.POSITIVE_INFINITY;
const limits: Limits = new Map([
  [
    'model',
    {
      layout: [{ name: 'w', shape: [3], trainable: true }],
      bound: { trainable: 100, nonTrainable: NONE },
      counted: { trainable: 5, nonTrainable: NONE },
    },
  ],
]);

describe('RowsSum', () => {
  it('counts contributions, weights and measures in any order, and has no means', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 1e6 }), { minLength: 1, maxLength: 9 }),
        fc.integer(),
        (all, seed) => {
          const sumOf = (weights: readonly number[]) => {
            const sum = new RowsSum(sections);
            for (const weight of weights)
              finish(sum.add(contribution([1, 2, 3], [0, 0, 0], weight), weight, new Map()));
            return finish(sum.aggregate());
          };
          const total = all.reduce((sum, weight) => sum + weight, 0);
          const aggregate = sumOf(all);
          expect(aggregate).toEqual({
            count: all.length,
            weight: total,
            means: new Map(),
            measures: new Map([['examples', Float64Array.of(total)]]),
          });
          expect(sumOf(shuffle([...all], seededRandom(seed)))).toEqual(aggregate);
        },
      ),
    );
  });

  it('refuses and shortens what the exact sum refuses and shortens, and then counts nothing', () => {
    const good = contribution([1, 2, 3], [1, 1, 1], 5);
    const cases: [ReturnType<typeof contribution>, number][] = [
      [good, 5],
      [contribution([30, 40, 0], [0, 0, 0], 1), 1],
      [contribution([300, 0, 0], [0, 0, 0], 1), 1],
      [contribution([1, 2], [1, 1, 1], 5), 5],
      [contribution([1, 2, 3], [1, 1, 1, 1], 5), 5],
      [contribution([1, Number.NaN, 3], [1, 1, 1], 5), 5],
      [contribution([1, 2, 3], [1, NONE, 1], 5), 5],
      [contribution([1, 2, 3], [1e12, 1, 1], 5), 5],
      // The control variate counts once, however heavy the contribution is.
      [contribution([1, 2, 3], [1e6, 1, 1], 1e6), 1e6],
      [good, 0],
      [good, 1.5],
      [good, Number.NaN],
      [good, -1],
      [{ ...good, vectors: new Map([...good.vectors].slice(0, 1)) }, 5],
    ];
    const outcome = (sum: Sum, [one, weight]: (typeof cases)[number]) => {
      try {
        return finish(sum.add(one, weight, limits));
      } catch (thrown) {
        expect([sum.count, sum.weight, sum.measures.count]).toEqual([0, 0, 0]);
        return (thrown as { code?: string }).code;
      }
    };
    const outcomes = cases.map((one) => outcome(new RowsSum(sections), one));
    expect(outcomes).toEqual(cases.map((one) => outcome(new ExactSum(sections), one)));
    expect(outcomes).toMatchObject([
      { factor: 1, norms: { model: Math.sqrt(14) } },
      { factor: 0.1, norms: { model: 50 } },
      'update-norm',
      'update-shape',
      'update-shape',
      'update-not-finite',
      'update-not-finite',
      'update-out-of-range',
      { factor: 1, norms: { model: Math.sqrt(14) } },
      'update-examples',
      'update-examples',
      'update-examples',
      'update-examples',
      'update-shape',
    ]);
  });

  it('has nothing to aggregate before the first, and nothing to send elsewhere', () => {
    const sum = new RowsSum(sections);
    expect(() => finish(sum.aggregate())).toThrow(RangeError);
    expect(sum.partial()).toBeNull();
    expect(() => sum.merge()).toThrow('not merged');
  });
});
