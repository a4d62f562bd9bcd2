import { ContributionLayoutSchema, contributionHash, shapeSize } from '@coppice/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Sums } from '../report/sums.ts';
import { clusteredMean } from '../statistics/clustered-mean.ts';
import { comparisonEvidence } from './evidence.ts';
import { clusterNames, comparisonLayout, FULL_SIZES, largestComparisonNorm, MAX_COMPARED } from './layout.ts';
import {
  type ComparedExample,
  type ComparisonMeasures,
  clusterNumbers,
  comparisonMeasures,
} from './measure.ts';
import { refusesComparison } from './refuses.ts';

const CLASSES = 3;
const compared = { production: 'ab'.repeat(32), candidate: 'cd'.repeat(32), number: 4, older: true };
const recentAlone = { ...compared, older: false };
const layout = comparisonLayout(CLASSES, compared);

const example: fc.Arbitrary<ComparedExample> = fc.record({
  slice: fc.constantFrom('recent', 'older'),
  label: fc.nat(CLASSES - 1),
  production: fc.boolean(),
  candidate: fc.boolean(),
});
/** The examples of some participants. */
const devices = fc.array(fc.array(example, { minLength: 1, maxLength: 30 }), { minLength: 1, maxLength: 8 });
const measured = (examples: readonly ComparedExample[], classes: number | null = CLASSES) =>
  comparisonMeasures(examples, classes, compared, 1) as ComparisonMeasures;

/** A sum by tensor of the layout, as an exchange makes it. */
function sumOf(all: readonly ComparisonMeasures[], of = layout): Sums {
  return new Map(
    of.map(({ name, shape }) => [
      name,
      Float64Array.from({ length: shapeSize(shape) }, (_, i) =>
        all.reduce((sum, one) => sum + ((one.get(name) as Float64Array)[i] as number), 0),
      ),
    ]),
  );
}

/** The sums of sizes and of means times sizes, one by one: numbers to the nearest 2⁻²⁰, their products to 2⁻²⁴. */
function direct(
  participants: readonly (readonly ComparedExample[])[],
  of: (one: ComparedExample) => boolean,
  full: number,
) {
  const each = participants.map((examples) => examples.filter(of)).filter((examples) => examples.length > 0);
  const nearest = (value: number, bits: number) => Math.round(value * 2 ** bits) / 2 ** bits;
  const numbers = each.map((examples) => {
    const hits = (model: 'production' | 'candidate') => examples.filter((one) => one[model]).length;
    const [count, sum] = [examples.length, hits('candidate') - hits('production')];
    return count < full
      ? { n: nearest(count / full, 20), s: nearest(sum / full, 20) }
      : { n: 1, s: nearest(sum / count, 20) };
  });
  const total = (value: (of: { n: number; s: number }) => number) =>
    numbers.reduce((sum, one) => sum + value(one), 0);
  return {
    clusters: each.length,
    examples: total(({ n }) => n),
    sum: total(({ s }) => s),
    sumSquares: total(({ s }) => nearest(s * s, 24)),
    products: total(({ n, s }) => nearest(n * s, 24)),
    sizeSquares: total(({ n }) => nearest(n * n, 24)),
  };
}

/** Participants in each tenth of shares of hits; a share of 1 belongs to the last. */
function tenths(participants: readonly (readonly ComparedExample[])[], model: 'production' | 'candidate') {
  const bins = new Array<number>(10).fill(0);
  for (const examples of participants) {
    const hits = examples.filter((one) => one[model]).length;
    const bin = bins.findLastIndex((_, at) => at * examples.length <= 10 * hits);
    bins[bin] = (bins[bin] as number) + 1;
  }
  return bins;
}

describe('the layout of comparisons', () => {
  it('is a layout of measures, as long as what a participant measures', () => {
    for (const classes of [CLASSES, null]) {
      const of = comparisonLayout(classes, compared);
      expect(ContributionLayoutSchema.parse(of)).toEqual(of);
      const measures = measured([{ slice: 'recent', label: 0, production: true, candidate: false }], classes);
      expect([...measures].map(([name, { length }]) => [name, length])).toEqual(
        of.map(({ name, shape }) => [name, shapeSize(shape)]),
      );
    }
  });

  it('has another hash for other models and for another comparison, so that no sum mixes them', () => {
    const hashes = [
      compared,
      { ...compared, number: 5 },
      { ...compared, production: compared.candidate, candidate: compared.production },
    ].map((one) => Buffer.from(contributionHash(comparisonLayout(CLASSES, one))).toString('hex'));
    expect(new Set(hashes).size).toBe(3);
  });

  it('bounds every measure of a participant, float32 included', () => {
    const most = ['recent', 'older'].flatMap((slice) =>
      Array.from({ length: MAX_COMPARED }, () => ({
        slice: slice as 'recent',
        label: 0,
        production: false,
        candidate: true,
      })),
    );
    const measures = measured(most);
    for (const { name, bound } of layout) {
      const largest = Math.max(...(measures.get(name) as Float64Array).map(Math.abs));
      expect(largest).toBeLessThanOrEqual(bound as number);
      expect(Math.fround(largest)).toBe(largest);
      // Reached, but for what was lost.
      expect(largest).toBe(name === 'worse' ? 0 : bound);
    }
    expect(refusesComparison(measures, CLASSES, compared)).toBeNull();
    expect(() => measured([...most, most[0] as ComparedExample])).toThrow(RangeError);
    expect(() => measured([{ ...(most[0] as ComparedExample), label: CLASSES }])).toThrow(RangeError);
  });

  it('has no older slice where recent examples alone are compared, and another hash', () => {
    const of = comparisonLayout(CLASSES, recentAlone);
    expect(of).toEqual(layout.filter(({ name }) => !name.startsWith('older-')));
    expect(contributionHash(of)).not.toEqual(contributionHash(layout));
    const recent = Array.from({ length: 12 }, () => ({
      slice: 'recent' as const,
      label: 1,
      production: true,
      candidate: false,
    }));
    const measures = comparisonMeasures(recent, CLASSES, recentAlone) as ComparisonMeasures;
    expect([...measures.keys()]).toEqual(of.map(({ name }) => name));
    expect(refusesComparison(measures, CLASSES, recentAlone)).toBeNull();
    expect(comparisonEvidence(sumOf([measures], of), 1)).toMatchObject({
      older: null,
      recent: { clusters: 1 },
    });
    const older = [...recent, { ...(recent[0] as ComparedExample), slice: 'older' as const }];
    expect(() => comparisonMeasures(older, CLASSES, recentAlone)).toThrow(RangeError);
  });

  it.each([null, 3, 10, 100, 1000])('states the largest norm of measures of %j classes', (classes) => {
    for (const of of [compared, recentAlone]) {
      const all = comparisonLayout(classes, of);
      const norm = largestComparisonNorm(classes, of);
      const slicesIn = of.older ? (['recent', 'older'] as const) : (['recent'] as const);
      const normOf = (examples: readonly ComparedExample[]) => {
        const measures = comparisonMeasures(examples, classes, of, 1) as ComparisonMeasures;
        expect(refusesComparison(measures, classes, of, 1)).toBeNull();
        return Math.hypot(...all.flatMap(({ name }) => [...(measures.get(name) as Float64Array)]));
      };
      // So many examples a class that it counts in full: the largest one. And drawn ones, of few examples a class.
      for (const each of [5, 1, 2, 7]) {
        const examples = slicesIn.flatMap((slice, part) =>
          Array.from({ length: MAX_COMPARED }, (_, i) => ({
            slice,
            ...(classes === null ? {} : { label: Math.floor((part * MAX_COMPARED + i) / each) % classes }),
            production: false,
            candidate: true,
          })),
        );
        if (each === 5) expect(normOf(examples)).toBeCloseTo(norm, 5);
        else expect(normOf(examples)).toBeLessThanOrEqual(norm + 1e-5);
      }
    }
  });
});

describe('the evidence of a comparison', () => {
  it('is what every example of every participant gives directly', () => {
    fc.assert(
      fc.property(devices, (participants) => {
        const sums = sumOf(participants.map((one) => measured(one)));
        const differs = (one: ComparedExample, production: boolean) =>
          one.slice === 'recent' && one.production === production && one.candidate !== production;
        const recentOf = (of: readonly ComparedExample[]) =>
          of.filter((one) => differs(one, false)).length - of.filter((one) => differs(one, true)).length;
        expect(sums.get('participants')).toEqual(Float64Array.of(participants.length));
        expect(comparisonEvidence(sums, participants.length)).toEqual({
          participants: participants.length,
          noise: 0,
          recent: direct(participants, ({ slice }) => slice === 'recent', 20),
          discordant: {
            won: participants.filter((one) => recentOf(one) > 0).length,
            lost: participants.filter((one) => recentOf(one) < 0).length,
          },
          older: direct(participants, ({ slice }) => slice === 'older', 20),
          classes: [0, 1, 2].map((index) => direct(participants, ({ label }) => label === index, 5)),
          accuracies: {
            production: tenths(participants, 'production'),
            candidate: tenths(participants, 'candidate'),
          },
        });
      }),
    );
  });

  it('of two sets of participants adds up', () => {
    fc.assert(
      fc.property(devices, devices, (some, others) => {
        const [a, b, both] = [some, others, [...some, ...others]].map((participants) =>
          sumOf(participants.map((one) => measured(one))),
        ) as [Sums, Sums, Sums];
        for (const [name, values] of both)
          expect(values).toEqual(values.map((_, i) => (a.get(name)?.[i] ?? 0) + (b.get(name)?.[i] ?? 0)));
      }),
    );
  });

  it('of a numeric target has neither classes nor shares of hits', () => {
    const of = comparisonLayout(null, compared);
    const measures = measured([{ slice: 'recent', production: false, candidate: true }], null);
    expect(refusesComparison(measures, null, compared, 1)).toBeNull();
    expect(comparisonEvidence(sumOf([measures], of), 1)).toMatchObject({
      recent: { clusters: 1, sum: 2 ** -20 * Math.round(2 ** 20 / 20) },
      classes: [],
      accuracies: { production: [], candidate: [] },
    });
  });
});

describe('the measures of a comparison', () => {
  it('of fewer examples than the minimum do not leave the device', () => {
    const examples = Array.from({ length: 9 }, (_, i) => ({
      slice: 'older' as const,
      label: i % CLASSES,
      production: true,
      candidate: true,
    }));
    expect(comparisonMeasures(examples, CLASSES, compared)).toBeNull();
    expect(refusesComparison(measured(examples), CLASSES, compared)).toMatch('10 are the fewest');
    expect(refusesComparison(measured(examples), CLASSES, compared, 9)).toBeNull();
  });

  it('of any device are not refused', () => {
    fc.assert(
      fc.property(fc.array(example, { minLength: 1, maxLength: 60 }), (examples) => {
        expect(refusesComparison(measured(examples), CLASSES, compared, 1)).toBeNull();
        expect(refusesComparison(measured(examples, null), null, compared, 1)).toBeNull();
      }),
    );
  });

  /** Twelve examples: six of each slice; two won and one lost of the recent ones, one lost of the older. */
  const honest: ComparedExample[] = Array.from({ length: 12 }, (_, i) => ({
    slice: i < 6 ? 'recent' : 'older',
    label: i % CLASSES,
    production: i !== 0 && i !== 1,
    candidate: i !== 2 && i !== 6,
  }));

  it('of more classes in full than there can be examples are refused before the numbers of each are looked at', () => {
    const classes = 1000;
    const measures = new Map(
      [...measured(honest, classes)].map(([name, values]) => [name, values.slice()] as const),
    );
    expect(refusesComparison(measures, classes, compared)).toBeNull();
    const full = clusterNumbers(FULL_SIZES.class, 0, FULL_SIZES.class);
    for (let index = 0; index < classes; index++) setClass(measures, index, full);
    expect(refusesComparison(measures, classes, compared)).toMatch('5000 examples at least');
  });

  it.each<[string, (measures: Map<string, Float64Array>) => void]>([
    ['participants', (it) => it.set('participants', Float64Array.of(2))],
    ['a part of a number', (it) => it.set('older-participants', Float64Array.of(0.5))],
    ['nothing from examples', (it) => it.set('recent-participants', Float64Array.of(0))],
    ['fewer than none', (it) => it.set('older-sizes', Float64Array.of(-0.3))],
    ['parts of an example', (it) => it.set('older-sizes', Float64Array.of(0.32))],
    ['sizes beyond the full one', (it) => it.set('older-sizes', Float64Array.of(1.05))],
    ['sums of parts of a difference', (it) => it.set('recent-sums', Float64Array.of(0.07))],
    ['sums of nothing', (it) => it.set('class-sums', Float64Array.of(0, 1, 0))],
    ['squares', (it) => it.set('older-sum-squares', Float64Array.of(1))],
    ['products', (it) => it.set('recent-products', Float64Array.of(0.5))],
    ['squares of sizes', (it) => it.set('class-size-squares', Float64Array.of(1, 1, 0))],
    ['better results', (it) => it.set('better', Float64Array.of(0))],
    ['worse results', (it) => it.set('worse', Float64Array.of(1))],
    [
      'differences beyond the examples',
      (it) => {
        const numbers = clusterNumbers(7, 7, FULL_SIZES.recent);
        it.set('recent-sums', Float64Array.of(numbers.sums))
          .set('recent-sum-squares', Float64Array.of(numbers.sumSquares))
          .set('recent-products', Float64Array.of(numbers.products));
      },
    ],
    [
      'classes of other examples',
      (it) => setClass(it, 0, clusterNumbers(3, (it.get('class-sums')?.[0] ?? 0) * 5, FULL_SIZES.class)),
    ],
    ['classes with other differences', (it) => setClass(it, 2, clusterNumbers(4, 3, FULL_SIZES.class))],
    ['no share of hits', (it) => it.set('candidate-accuracy', new Float64Array(10))],
    [
      'two shares of hits',
      (it) => it.set('candidate-accuracy', Float64Array.of(1, 1, 0, 0, 0, 0, 0, 0, 0, -1)),
    ],
    [
      'halves of shares of hits',
      (it) => {
        const halves = Float64Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0.5, 0.5);
        it.set('production-accuracy', halves).set('candidate-accuracy', halves);
      },
    ],
    [
      'shares of hits beside one that is too small to change their sum',
      (it) => it.get('candidate-accuracy')?.set([2 ** -149]),
    ],
    [
      'shares of hits too far apart',
      (it) => it.set('candidate-accuracy', Float64Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0, 0)),
    ],
    [
      'a share of hits that the differences leave no room for',
      (it) => {
        const first = Float64Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0, 0);
        const last = Float64Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
        it.set('production-accuracy', last).set('candidate-accuracy', first);
      },
    ],
  ])('with impossible %s are refused', (_, change) => {
    const measures = new Map([...measured(honest)].map(([name, values]) => [name, values.slice()]));
    expect(refusesComparison(measures, CLASSES, compared)).toBeNull();
    change(measures);
    expect(refusesComparison(measures, CLASSES, compared)).toEqual(expect.any(String));
  });

  it('from the full size on are of any number of examples, with a mean that some give', () => {
    const ofSlice = (numbers: ReturnType<typeof clusterNumbers>) => {
      const of = comparisonLayout(null, recentAlone);
      const values = new Map<string, number>([
        ['participants', 1],
        ['recent-participants', numbers.clusters],
        ['recent-sizes', numbers.sizes],
        ['recent-sums', numbers.sums],
        ['recent-sum-squares', numbers.sumSquares],
        ['recent-products', numbers.products],
        ['recent-size-squares', numbers.sizeSquares],
        ['better', numbers.sums > 0 ? 1 : 0],
        ['worse', numbers.sums < 0 ? 1 : 0],
      ]);
      return new Map(of.map(({ name }) => [name, Float64Array.of(values.get(name) ?? 0)]));
    };
    for (const m of [20, 21, 137, 200])
      for (const d of [-m, -1, 0, 1, 7, m])
        expect(refusesComparison(ofSlice(clusterNumbers(m, d, 20)), null, recentAlone)).toBeNull();
    // 1 of 201, and 1 of 400.
    for (const [m, d] of [
      [201, 1],
      [20, 0.05],
    ] as const)
      expect(refusesComparison(ofSlice(clusterNumbers(m, d, 20)), null, recentAlone)).toMatch('recent slice');
  });

  it('that pass move a sum by no more than one full participant may, whatever their numbers', () => {
    const size = fc.constantFrom(-1, 0, 0.05, 0.3, 0.5, 1, 1.05, 20, 200).map((n) => Math.fround(n));
    const sum = fc.constantFrom(-200, -1, -0.5, -0.05, 0, 0.05, 0.3, 0.5, 1, 1.05, 20);
    const [before] = [sumOf(Array.from({ length: 30 }, () => measured(honest)))];
    const unit = (value: number) => Math.round(value * 2 ** 20) / 2 ** 20;
    let passed = 0;
    fc.assert(
      fc.property(size, sum, fc.nat(2), (n, s, lie) => {
        const [sizes, sums] = [unit(n), unit(s)];
        const values = new Map<string, number>([
          ['participants', 1],
          ['recent-participants', n > 0 ? 1 : 0],
          ['recent-sizes', sizes],
          ['recent-sums', sums],
          ['recent-sum-squares', lie === 1 ? 1 : Math.round(sums ** 2 * 2 ** 24) / 2 ** 24],
          ['recent-products', lie === 2 ? 1 : Math.round(sums * sizes * 2 ** 24) / 2 ** 24],
          ['recent-size-squares', Math.round(sizes ** 2 * 2 ** 24) / 2 ** 24],
          ['better', s > 0 ? 1 : 0],
          ['worse', s < 0 ? 1 : 0],
        ]);
        const of = comparisonLayout(null, compared);
        const liar = new Map(of.map(({ name }) => [name, Float64Array.of(values.get(name) ?? 0)]));
        if (refusesComparison(liar, null, compared, 1) !== null) return;
        passed++;
        const after = sumOf([before as unknown as ComparisonMeasures, liar], of);
        for (const { name } of of)
          expect(Math.abs((after.get(name)?.[0] ?? 0) - (before.get(name)?.[0] ?? 0))).toBeLessThanOrEqual(1);
        const { recent } = comparisonEvidence(after, 31);
        expect(clusteredMean(recent)?.cr1).toBeGreaterThanOrEqual(0);
      }),
      { examples: [[1, 0.3, 0]] },
    );
    expect(passed).toBeGreaterThan(0);
  });

  it('of a liar at the bound move the mean as one full participant, whatever number of examples it has', () => {
    const all = (count: number) =>
      Array.from({ length: count }, () => ({
        slice: 'recent' as const,
        label: 0,
        production: true,
        candidate: false,
      }));
    const winners = all(FULL_SIZES.recent).map((one) => ({ ...one, production: false, candidate: true }));
    const others = Array.from({ length: 100 }, () => measured(winners));
    for (const count of [FULL_SIZES.recent, MAX_COMPARED]) {
      expect(refusesComparison(measured(all(count)), CLASSES, compared)).toBeNull();
      const { recent } = comparisonEvidence(sumOf([...others, measured(all(count))]), 101);
      expect(1 - (clusteredMean(recent)?.mean as number)).toBeCloseTo(2 / 101, 12);
    }
  });

  it('weigh by the number of examples below the full size', () => {
    const of = (count: number, candidate: boolean) =>
      measured(
        Array.from({ length: count }, () => ({
          slice: 'recent' as const,
          label: 0,
          production: !candidate,
          candidate,
        })),
      );
    const { recent } = comparisonEvidence(sumOf([of(20, true), of(200, true), of(10, false)]), 3);
    // By hand: (1 + 1 − 1/2) ÷ (1 + 1 + 1/2).
    expect(clusteredMean(recent)?.mean).toBeCloseTo(1.5 / 2.5, 12);
  });
});

function setClass(
  measures: Map<string, Float64Array>,
  index: number,
  numbers: ReturnType<typeof clusterNumbers>,
): void {
  for (const [number, name] of Object.entries(clusterNames('class')))
    (measures.get(name) as Float64Array)[index] = numbers[number as keyof typeof numbers];
}
