import { seededRandom, shuffle, uniform } from '@coppice/ports';
import { sectionsOf, type TensorSpec } from '@coppice/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { float32Values } from '../codecs/values.ts';
import { modelGroup } from '../contributions/layout.ts';
import { finish, giveUp, STEP_PARAMETERS } from '../steps.ts';
import { ExactSum } from './exact.ts';
import { RowsSum } from './rows-sum.ts';

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
const layout = [
  spec('w', 'model'),
  spec('c', 'control', { weighted: 'one' }),
  spec('examples', 'measures', { shape: [], role: 'measure', unit: 1, weighted: 'one' }),
];
const sections = sectionsOf(layout);
const contribution = (model: readonly number[], control: readonly number[], examples: number) => ({
  vectors: new Map([
    ['model', float32Values(Float32Array.from(model))],
    ['control', float32Values(Float32Array.from(control))],
  ]),
  measures: new Map([['examples', Float64Array.of(examples)]]),
});
const three = fc.array(fc.float({ min: -100, max: 100, noNaN: true }), { minLength: 3, maxLength: 3 });
const some = fc.array(fc.record({ model: three, control: three, weight: fc.integer({ min: 1, max: 1e6 }) }), {
  minLength: 1,
  maxLength: 8,
});
const none = new Map();

describe('ExactSum', () => {
  it('weighs each group as its layout says, and sums measures as they are', () => {
    fc.assert(
      fc.property(some, (all) => {
        const sum = new ExactSum(sections);
        for (const { model, control, weight } of all)
          finish(sum.add(contribution(model, control, weight), weight, none));
        const { count, weight, means, measures } = finish(sum.aggregate());
        expect([count, weight]).toEqual([all.length, all.reduce((total, one) => total + one.weight, 0)]);
        expect(measures.get('examples')?.[0]).toBe(weight);
        for (let i = 0; i < 3; i++) {
          const weighted =
            all.reduce((total, one) => total + (one.model[i] as number) * one.weight, 0) / weight;
          const plain = all.reduce((total, one) => total + (one.control[i] as number), 0) / count;
          expect(means.get('model')?.[i]).toBeCloseTo(weighted, 6);
          expect(means.get('control')?.[i]).toBeCloseTo(plain, 8);
        }
      }),
    );
  });

  it('gives the same bits in any order and from any grouping of partial sums', () => {
    fc.assert(
      fc.property(some, fc.nat(8), fc.integer(), (all, cut, seed) => {
        const sumOf = (some: typeof all) => {
          const sum = new ExactSum(sections);
          for (const { model, control, weight } of some)
            finish(sum.add(contribution(model, control, weight), weight, none));
          return sum;
        };
        const whole = finish(sumOf(all).aggregate());
        expect(finish(sumOf(shuffle([...all], seededRandom(seed))).aggregate())).toEqual(whole);
        const merged = sumOf(all.slice(0, cut));
        merged.merge(sumOf(all.slice(cut)).partial());
        expect(finish(merged.aggregate())).toEqual(whole);
      }),
    );
  });

  it('adds nothing of a contribution of which one group is refused', () => {
    const sum = new ExactSum(sections);
    finish(sum.add(contribution([1, 2, 3], [1, 1, 1], 5), 5, none));
    const before = sum.partial();
    expect(() => finish(sum.add(contribution([1, 1, 1], [1, Number.NaN, 1], 5), 5, none))).toThrow(
      expect.objectContaining({ code: 'update-not-finite' }),
    );
    expect(sum.partial()).toEqual(before);
  });

  it('adds nothing of a contribution that is given up or refused in any of its steps', () => {
    const length = STEP_PARAMETERS + 5;
    const large = sectionsOf([
      spec('w', 'model', { shape: [length] }),
      spec('c', 'control', { shape: [length], weighted: 'one' }),
      spec('examples', 'measures', { shape: [], role: 'measure', unit: 1, weighted: 'one' }),
    ]);
    const random = seededRandom('given up');
    const made = () => ({
      vectors: new Map(
        ['model', 'control'].map((group) => [
          group,
          float32Values(Float32Array.from({ length }, () => uniform(random) - 0.5)),
        ]),
      ),
      measures: new Map([['examples', Float64Array.of(5)]]),
    });
    const sum = new ExactSum(large);
    finish(sum.add(made(), 5, none));
    const before = sum.partial();
    let steps = 0;
    for (let last = false; !last; steps++) {
      const adding = sum.add(made(), 7, none);
      for (let step = 0; step <= steps; step++) last = adding.next().done === true;
      finish(giveUp(adding));
      if (!last) expect(sum.partial(), `given up after step ${steps}`).toEqual(before);
    }
    // Both groups were under way.
    expect(steps).toBeGreaterThan(2);
    const counted = sum.partial();
    const wrong = made();
    const control = new Float32Array(length);
    control[length - 1] = Number.NaN;
    wrong.vectors.set('control', float32Values(control));
    // Given up at every piece, also while it is being taken off for its fault.
    let pieces = 0;
    for (let last = false; !last; pieces++) {
      const adding = sum.add(wrong, 7, none);
      try {
        for (let step = 0; step <= pieces; step++) adding.next();
      } catch {
        last = true;
      }
      finish(giveUp(adding));
      expect(sum.partial(), `given up after step ${pieces}`).toEqual(counted);
    }
    expect(pieces).toBeGreaterThan(steps);
    expect(() => finish(sum.add(wrong, 5, none))).toThrow(
      expect.objectContaining({ code: 'update-not-finite' }),
    );
    expect(sum.partial()).toEqual(counted);
  });

  it('adds nothing of a contribution that is given up between its groups, or whose measures cannot be summed', () => {
    const length = STEP_PARAMETERS + 10;
    const large = [
      spec('w', 'model', { shape: [length] }),
      spec('c', 'control', { shape: [length], weighted: 'one' }),
    ];
    const sum = new ExactSum(sectionsOf([...large, ...layout.slice(2)]));
    const numbers = (value: number) => float32Values(new Float32Array(length).fill(value));
    const one = (examples: number) => ({
      vectors: new Map([
        ['model', numbers(1 / 3)],
        ['control', numbers(1 / 7)],
      ]),
      measures: new Map([['examples', Float64Array.of(examples)]]),
    });
    finish(sum.add(one(5), 5, none));
    const before = sum.partial();
    // A turn in each of the two groups: the third call is the last.
    for (const turns of [1, 2]) {
      const steps = sum.add(one(3), 3, none);
      for (let i = 0; i < turns; i++) expect(steps.next().done).toBe(false);
      finish(giveUp(steps));
      expect(sum.partial()).toEqual(before);
    }
    expect(() => finish(sum.add(one(Number.NaN), 3, none))).toThrow(RangeError);
    expect(sum.partial()).toEqual(before);
    expect([sum.count, sum.weight]).toEqual([1, 5]);
  });

  it('merges nothing of a partial sum of which one part does not fit', () => {
    const [whole, other] = [new ExactSum(sections), new ExactSum(sections)];
    finish(whole.add(contribution([1, 2, 3], [1, 1, 1], 5), 5, none));
    finish(other.add(contribution([4, 5, 6], [1, 1, 1], 2), 2, none));
    const before = whole.partial();
    const { vectors, ...more } = other.partial();
    const control = vectors.control as NonNullable<typeof vectors.control>;
    const short = { ...control, low: control.low.slice(1) };
    const broken = { ...control, low: Float64Array.of(0.5, 0, 0) };
    for (const [bad, code] of [
      [{ ...more, vectors: { ...vectors, control: short } }, 'update-shape'],
      [{ ...more, vectors: { ...vectors, control: broken } }, 'update-out-of-range'],
      [{ ...more, vectors: { model: control } }, 'update-shape'],
      [{ ...more, vectors, measures: { count: 1, units: {} } }, 'update-shape'],
    ] as const) {
      expect(() => whole.merge(bad)).toThrow(expect.objectContaining({ code }));
      expect(whole.partial()).toEqual(before);
    }
  });

  it('counts a vector beyond its limit as if it were as long as that, and says so', () => {
    const limit = {
      layout: [{ name: 'w', shape: [3], trainable: true }],
      bound: { trainable: 100, nonTrainable: 100 },
      counted: { trainable: 5, nonTrainable: 100 },
    };
    const sum = new ExactSum(sections);
    const long = finish(sum.add(contribution([30, 40, 0], [0, 0, 0], 1), 1, new Map([['model', limit]])));
    expect(long.factor).toBeCloseTo(0.1, 6);
    // Told as it came; of a group without a limit nothing is told.
    expect(long.norms).toEqual({ model: 50 });
    const within = finish(sum.add(contribution([3, 4, 0], [0, 0, 0], 1), 1, new Map([['model', limit]])));
    expect(within).toMatchObject({ factor: 1, norms: { model: 5 } });
    const mean = finish(sum.aggregate()).means.get('model');
    expect(mean?.[0]).toBeCloseTo(3, 6);
    expect(mean?.[1]).toBeCloseTo(4, 6);
    expect(() =>
      finish(sum.add(contribution([300, 0, 0], [0, 0, 0], 1), 1, new Map([['model', limit]]))),
    ).toThrow(expect.objectContaining({ code: 'update-norm' }));
  });

  it('shortens steps and averages each by their own factor, as rows are', () => {
    const layout = [
      { name: 'w', shape: [2], trainable: true },
      { name: 'mean', shape: [1], trainable: false },
    ];
    const mixed = sectionsOf(modelGroup(layout, { bound: 1000 }));
    const limits = new Map([
      [
        'model',
        {
          layout,
          bound: { trainable: 1000, nonTrainable: 1000 },
          counted: { trainable: 5, nonTrainable: 0.5 },
        },
      ],
    ]);
    const added = (values: readonly number[], sum = new ExactSum(mixed)) => {
      const vectors = new Map([['model', float32Values(Float32Array.from(values))]]);
      const { factor, factors, norms } = finish(sum.add({ vectors, measures: new Map() }, 3, limits));
      return {
        factor,
        factors: factors.get('model'),
        norms,
        mean: finish(sum.aggregate()).means.get('model'),
      };
    };
    expect(added([3, 4, 1])).toEqual({
      factor: 0.5,
      factors: { trainable: 1, nonTrainable: 0.5 },
      norms: { model: 5, 'model/averages': 1 },
      mean: Float64Array.of(3, 4, 0.5),
    });
    expect(added([30, 40, 0.25])).toMatchObject({
      factors: { trainable: 0.1, nonTrainable: 1 },
      mean: Float64Array.of(3, 4, 0.25),
    });
    // What is refused leaves nothing in the sum.
    const sum = new ExactSum(mixed);
    expect(() => added([3, 4, 1001], sum)).toThrow(expect.objectContaining({ code: 'update-norm' }));
    expect(added([3, 4, 1], sum).mean).toEqual(Float64Array.of(3, 4, 0.5));
    const long = new Map([['model', float32Values(Float32Array.of(30, 40, 1))]]);
    const rows = new RowsSum(mixed);
    const inRows = finish(rows.add({ vectors: long, measures: new Map() }, 3, limits));
    expect(inRows.factors.get('model')).toEqual({ trainable: 0.1, nonTrainable: 0.5 });
  });
});
