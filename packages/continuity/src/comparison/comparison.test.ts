import { ContributionLayoutSchema, contributionHash, shapeSize } from '@coppice/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Sums } from '../report/sums.ts';
import { clusteredMean } from '../statistics/clustered-mean.ts';
import { comparisonEvidence } from './evidence.ts';
import { comparisonLayout, MAX_COMPARED } from './layout.ts';
import { type ComparedExample, type ComparisonMeasures, comparisonMeasures } from './measure.ts';
import { refusesComparison } from './refuses.ts';

const CLASSES = 3;
const compared = { production: 'ab'.repeat(32), candidate: 'cd'.repeat(32), number: 4 };
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
  comparisonMeasures(examples, classes, 1) as ComparisonMeasures;

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

/** The sums in which each participant counts once, one by one: means and squares to the nearest 2⁻²⁰ and 2⁻²⁴. */
function direct(
  participants: readonly (readonly ComparedExample[])[],
  of: (one: ComparedExample) => boolean,
) {
  const each = participants.map((examples) => examples.filter(of)).filter((examples) => examples.length > 0);
  const nearest = (value: number, bits: number) => Math.round(value * 2 ** bits) / 2 ** bits;
  const means = each.map((examples) => {
    const hits = (model: 'production' | 'candidate') => examples.filter((one) => one[model]).length;
    return nearest((hits('candidate') - hits('production')) / examples.length, 20);
  });
  const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
  return {
    clusters: each.length,
    examples: each.length,
    sum: total(means),
    sumSquares: total(means.map((mean) => nearest(mean ** 2, 24))),
    products: total(means),
    sizeSquares: each.length,
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
    expect(refusesComparison(measures, CLASSES)).toBeNull();
    expect(() => measured([...most, most[0] as ComparedExample])).toThrow(RangeError);
    expect(() => measured([{ ...(most[0] as ComparedExample), label: CLASSES }])).toThrow(RangeError);
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
        expect(comparisonEvidence(sums)).toEqual({
          recent: direct(participants, ({ slice }) => slice === 'recent'),
          discordant: {
            won: participants.filter((one) => recentOf(one) > 0).length,
            lost: participants.filter((one) => recentOf(one) < 0).length,
          },
          older: direct(participants, ({ slice }) => slice === 'older'),
          classes: [0, 1, 2].map((index) => direct(participants, ({ label }) => label === index)),
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
    expect(refusesComparison(measures, null, 1)).toBeNull();
    expect(comparisonEvidence(sumOf([measures], of))).toMatchObject({
      recent: { clusters: 1, sum: 1 },
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
    expect(comparisonMeasures(examples, CLASSES)).toBeNull();
    expect(refusesComparison(measured(examples), CLASSES)).toMatch('10 are the fewest');
    expect(refusesComparison(measured(examples), CLASSES, 9)).toBeNull();
  });

  it('of any device are not refused', () => {
    fc.assert(
      fc.property(fc.array(example, { minLength: 1, maxLength: 60 }), (examples) => {
        expect(refusesComparison(measured(examples), CLASSES, 1)).toBeNull();
        expect(refusesComparison(measured(examples, null), null, 1)).toBeNull();
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

  it.each<[string, (measures: Map<string, Float64Array>) => void]>([
    ['participants', (it) => it.set('participants', Float64Array.of(2))],
    ['a part of a number', (it) => it.set('won', Float64Array.of(1.5))],
    ['nothing from examples', (it) => it.set('recent-participants', Float64Array.of(0))],
    ['fewer than none', (it) => it.set('older-examples', Float64Array.of(-6))],
    ['means', (it) => it.set('recent-means', Float64Array.of(0.5))],
    ['means of nothing', (it) => it.set('class-means', Float64Array.of(0, 1, 0))],
    ['squares', (it) => it.set('older-squares', Float64Array.of(1))],
    ['better results', (it) => it.set('better', Float64Array.of(0))],
    ['worse results', (it) => it.set('worse', Float64Array.of(1))],
    [
      'differences beyond the examples',
      (it) =>
        it
          .set('recent-differences', Float64Array.of(7))
          .set('recent-means', Float64Array.of(1))
          .set('recent-squares', Float64Array.of(1)),
    ],
    ['classes of other examples', (it) => it.set('class-examples', Float64Array.of(4, 4, 5))],
    [
      'classes with other differences',
      (it) =>
        it
          .set('class-differences', Float64Array.of(4, 0, 0))
          .set('class-means', Float64Array.of(1, 0, 0))
          .set('class-squares', Float64Array.of(1, 0, 0)),
    ],
    ['no share of hits', (it) => it.set('candidate-accuracy', new Float64Array(10))],
    [
      'two shares of hits',
      (it) => it.set('candidate-accuracy', Float64Array.of(1, 1, 0, 0, 0, 0, 0, 0, 0, -1)),
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
    expect(refusesComparison(measures, CLASSES)).toBeNull();
    change(measures);
    expect(refusesComparison(measures, CLASSES)).toEqual(expect.any(String));
  });

  it('that pass move the mean by no more than one participant may, whatever their numbers', () => {
    const number = fc.constantFrom(-200, -20, -1, 0, 1, 3, 20, 200, 201, 40_000);
    const honestDevices = sumOf(Array.from({ length: 30 }, () => measured(honest)));
    const before = clusteredMean(comparisonEvidence(honestDevices).recent);
    fc.assert(
      fc.property(number, number, number, (n, s, mean) => {
        const values: [string, number][] = [
          ['participants', 1],
          ['recent-participants', n > 0 ? 1 : 0],
          ['recent-examples', n],
          ['recent-differences', s],
          ['recent-means', mean],
          ['recent-squares', mean ** 2],
          ['better', s > 0 ? 1 : 0],
          ['worse', s < 0 ? 1 : 0],
        ];
        const of = comparisonLayout(null, compared);
        const liar = new Map(of.map(({ name }) => [name, Float64Array.of(new Map(values).get(name) ?? 0)]));
        if (refusesComparison(liar, null) !== null) return;
        const after = clusteredMean(comparisonEvidence(sumOf([honestDevices, liar], of)).recent);
        // One of 31, with a mean in [−1, 1].
        expect(Math.abs((after?.mean as number) - (before?.mean as number))).toBeLessThanOrEqual(2 / 31);
        expect(after?.cr1).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it('of a liar at the bound move the mean as one participant, whatever number of examples it claims', () => {
    const all = Array.from({ length: MAX_COMPARED }, () => ({
      slice: 'recent' as const,
      label: 0,
      production: true,
      candidate: false,
    }));
    const winners = honest.map((one) => ({
      ...one,
      slice: 'recent' as const,
      production: false,
      candidate: true,
    }));
    const others = Array.from({ length: 100 }, () => measured(winners));
    expect(refusesComparison(measured(all), CLASSES)).toBeNull();
    const mean = clusteredMean(comparisonEvidence(sumOf([...others, measured(all)])).recent)?.mean as number;
    expect(1 - mean).toBeCloseTo(2 / 101, 12);
  });
});
