import { seededRandom } from '@coppice/ports';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { watchedOf } from '../reference/binning.ts';
import { identityOf, type Reference, referenceOf, type Spread } from '../reference/reference.ts';
import { reportLayout, tensorsOf } from '../report/layout.ts';
import {
  binningOf,
  type Differences,
  drawReports,
  drawSums,
  emptyState,
  noisy,
  sumOf,
} from '../report/population.testing.ts';
import { summarise } from '../report/summarise.ts';
import { alike, referenceFor, verdictOf } from './judged.testing.ts';
import { shiftOf } from './shift.ts';

/** The population stability index between N(0, 1) and N(shift, 1) over deciles, by numerical integration. */
function trueIndex(shift: number): number {
  const [column] = binningOf(1).columns;
  const edges = column?.kind === 'number' ? column.edges : [];
  const steps = 4000;
  const shares = (mean: number) => {
    const sums = new Array<number>(edges.length + 1).fill(0);
    for (let i = 0; i < steps; i++) {
      const x = -8 + (16 * (i + 0.5)) / steps;
      const bin = edges.filter((edge) => x >= edge).length;
      const density = Math.exp(-((x - mean) ** 2) / 2) / Math.sqrt(2 * Math.PI);
      sums[bin] = (sums[bin] as number) + (density * 16) / steps;
    }
    return sums;
  };
  const [p, q] = [shares(0), shares(shift)];
  return p.reduce((sum, one, i) => sum + ((q[i] as number) - one) * Math.log((q[i] as number) / one), 0);
}

/** The shift of the mean that has this index. */
function shiftWith(index: number): number {
  let [low, high] = [0, 2];
  for (let step = 0; step < 30; step++) {
    const middle = (low + high) / 2;
    if (trueIndex(middle) < index) low = middle;
    else high = middle;
  }
  return low;
}

describe('the verdict on a shift', () => {
  // Half of the threshold, and twice it.
  const [half, twice] = [shiftWith(0.05), shiftWith(0.2)];

  it.each<[participants: number, examples: number, differences: Differences, periods: number]>([
    [50, 20, alike, 40],
    [50, 20, { kind: 'means', deviation: 0.3 }, 40],
    [100, 1000, alike, 2],
  ])(
    'of %i participants with %i examples each, %o, is the same at half and at twice the threshold',
    (participants, examples, differences, periods) => {
      const binning = binningOf(10);
      const reference = referenceFor(binning, { participants: 200, examples: 50, differences }, 'power');
      const alarms = (shift: number) => {
        let count = 0;
        for (let period = 0; period < periods; period++) {
          const sums = drawSums(binning, { participants, examples, differences, shift }, 'power', period);
          if (verdictOf(sums, reference).drift.alarm) count++;
        }
        return count / periods;
      };
      expect(alarms(half)).toBeLessThanOrEqual(0.1);
      expect(alarms(twice)).toBeGreaterThanOrEqual(0.9);
    },
  );

  it('has an alarm at twice the threshold in spite of noise in the period and in its reference', () => {
    // Noise has no direction: taken for differences between participants it hid the shift in every other period.
    const binning = binningOf(4);
    const population = { participants: 500, examples: 20, differences: alike };
    const noised = (shift: number, ...path: (string | number)[]) =>
      noisy(drawSums(binning, { ...population, shift }, ...path), 5, ...path);
    for (let period = 0; period < 6; period++) {
      const reference = referenceOf(binning, noised(0, 'noised', period), 25);
      expect(verdictOf(noised(twice, 'moved', period), reference, { noise: 25 }).drift.alarm).toBe(true);
    }
  });

  it('holds the true effect in its interval, and has the column that moved first', () => {
    const binning = binningOf(10);
    const population = {
      participants: 60,
      examples: 50,
      differences: { kind: 'means', deviation: 0.2 },
    } as const;
    const truth = 0.2;
    let [held, first] = [0, 0];
    for (let period = 0; period < 40; period++) {
      const reference = referenceFor(binning, population, 'interval', period);
      const { drift } = verdictOf(
        drawSums(binning, { ...population, shift: twice }, 'interval', period),
        reference,
      );
      const moved = drift.results.find(({ name }) => name === 'x0');
      const [low, high] = moved?.interval ?? [0, 0];
      if (low <= truth && truth <= high) held++;
      if (drift.results[0]?.name === 'x0' && drift.results[0].adjusted < 0.05) first++;
      expect(drift.tested).toBe(11);
    }
    expect(held).toBeGreaterThanOrEqual(35);
    expect(first).toBe(40);
  });
});

describe('data quality', () => {
  const binning = binningOf(2, {
    columns: [...binningOf(1).columns, { kind: 'category', name: 'colour', values: 3 }],
  });
  const population = { participants: 30, examples: 40, differences: alike } as const;
  const reference = referenceFor(binning, population, 'quality');

  it('has an alarm where values are missing that were there, and none for what was always missing', () => {
    const broken = { ...population, missing: 0.3 };
    const { quality } = verdictOf(drawSums(binning, broken, 'quality'), reference);
    expect(quality.alarm).toBe(true);
    expect(quality.results[0]).toMatchObject({ name: 'x0', fault: 'missing', alarm: true, participants: 30 });
    expect(quality.results.slice(1).every(({ alarm }) => !alarm)).toBe(true);
    const known = referenceFor(binning, broken, 'quality');
    expect(verdictOf(drawSums(binning, broken, 'quality'), known).quality.alarm).toBe(false);
    // Values that are there again are no fault.
    expect(verdictOf(drawSums(binning, population, 'quality'), known).quality.alarm).toBe(false);
  });

  it('has an alarm where all of six devices lose a column, and with five tells nothing of that', () => {
    // With five the same is chance in one of a thousand periods, if devices are of two kinds: too often for 20 columns.
    const many = binningOf(20, {
      columns: binningOf(20).columns.map((column) => ({ ...column, range: null })),
    });
    const lost = (participants: number) => {
      const few = { participants, examples: 40, differences: alike };
      const known = referenceFor(many, few, 'lost');
      return verdictOf(drawSums(many, { ...few, missing: 1 }, 'lost'), known).quality;
    };
    expect(lost(6)).toMatchObject({ tested: 20, alarm: true });
    expect(lost(6).results[0]).toMatchObject({ name: 'x0', fault: 'missing' });
    expect(lost(5)).toMatchObject({ tested: 19, suppressed: 1, alarm: false });
  });

  it('tests missing values of every column, those beyond a plausible range, and unknown categories', () => {
    const { quality } = verdictOf(drawSums(binning, population, 'quality', 2), reference);
    expect(quality.results.map(({ name, fault }) => `${name} ${fault}`).sort()).toEqual([
      'colour missing',
      'colour other',
      'x0 missing',
      'x0 outside',
    ]);
    expect(quality.tested).toBe(4);
  });

  it.each<[string, 'outside' | 'other', string]>([
    ['values beyond the plausible range', 'outside', 'x0'],
    ['new categories', 'other', 'colour'],
  ])('has an alarm for %s', (_, fault, name) => {
    const identity = identityOf(binning);
    const reports = drawReports(binning, identity, population, seededRandom('fault')).map((numbers) => {
      const tensors = tensorsOf(reportLayout(binning, identity), numbers);
      const set = (tensor: string, at: number, share: number) => {
        (tensors.get(tensor) as Float32Array)[at] = share;
        (tensors.get(tensor === 'shares' ? 'squares' : `${tensor}-squares`) as Float32Array)[at] = share ** 2;
      };
      if (fault === 'outside') set('outside', 0, 0.25);
      else for (let bin = 0; bin < 4; bin++) set('shares', 10 + bin, 0.25 + (bin === 3 ? 0.375 : -0.125));
      return numbers;
    });
    const known = { ...reference, columns: reference.columns.map((column) => withoutOther(column)) };
    const against = fault === 'other' ? known : reference;
    const { quality } = verdictOf(sumOf('report', binning, identity, reports), against);
    expect(quality.results.filter(({ alarm }) => alarm)).toMatchObject([{ fault, name }]);
  });
});

/** A category column of which no participant had a value that the task does not list. */
function withoutOther<C extends Reference['columns'][number]>(column: C): C {
  if (column.kind === 'number') return column;
  const { shares, variances } = column.spread;
  const listed = 1 - (shares.at(-1) as number);
  const spread: Spread = {
    ...column.spread,
    shares: shares.map((share, i) => (i === shares.length - 1 ? 0 : share / listed)),
    variances: variances.map((variance, i) => (i === shares.length - 1 ? 0 : variance)),
  };
  return { ...column, spread };
}

describe('a verdict', () => {
  const binning = binningOf(3, { confidence: { edges: [0.5, 0.9] } });
  const population = { participants: 24, examples: 30, differences: alike, shift: 0.3 } as const;
  const reference = referenceFor(binning, population, 'sums');
  const identity = identityOf(binning);

  it('depends on the sums alone, however they were made up', () => {
    const reports = drawReports(binning, identity, population, seededRandom('split'));
    const whole = verdictOf(sumOf('report', binning, identity, reports), reference);
    fc.assert(
      fc.property(fc.array(fc.nat(2), { minLength: 24, maxLength: 24 }), (servers) => {
        const parts = [0, 1, 2].map((server) =>
          sumOf(
            'report',
            binning,
            identity,
            reports.filter((_, i) => servers[i] === server),
          ),
        );
        const merged = new Map(
          reportLayout(binning, identity).map(({ name }) => {
            const values = parts.map((part) => part.get(name) as Float64Array);
            return [
              name,
              Float64Array.from(values[0] as Float64Array, (_, i) =>
                values.reduce((sum, one) => sum + (one[i] as number), 0),
              ),
            ];
          }),
        );
        expect(verdictOf(merged, reference)).toEqual(whole);
      }),
      { numRuns: 20 },
    );
  });

  it('tells nothing of fewer participants than asked for', () => {
    const few = { ...population, participants: 4 };
    const sums = drawSums(binning, few, 'few');
    const { drift, quality, errors } = verdictOf(sums, reference);
    expect([drift.tested, drift.suppressed, drift.alarm]).toEqual([0, 5, false]);
    expect([quality.tested, quality.suppressed, errors]).toEqual([0, 6, null]);
    expect(verdictOf(sums, reference, { fewest: 4 }).drift.tested).toBe(5);
    expect(verdictOf(sumOf('report', binning, identity, []), reference).drift.tested).toBe(0);
  });

  it('withholds histograms in which few devices could reach any shift by chance, and tests those of more', () => {
    const category = { kind: 'category' as const, name: 'kind', values: 2 };
    const kinds = binningOf(0, { columns: [...binningOf(20).columns, category] });
    const own = identityOf(kinds);
    // Each device has one category alone: the first in the reference, the second in the period.
    const of = (participants: number, category: number) =>
      sumOf(
        'report',
        kinds,
        own,
        drawReports(
          kinds,
          own,
          { participants, examples: 40, differences: alike },
          seededRandom('kinds'),
        ).map((numbers) => {
          const tensors = tensorsOf(reportLayout(kinds, own), numbers);
          for (const name of ['shares', 'squares'])
            for (let bin = 0; bin < 3; bin++)
              (tensors.get(name) as Float32Array)[200 + bin] = bin === category ? 1 : 0;
          return numbers;
        }),
      );
    const withheld = verdictOf(of(5, 1), referenceOf(kinds, of(5, 0))).drift;
    expect([withheld.tested, withheld.suppressed, withheld.alarm]).toEqual([21, 1, false]);
    expect(withheld.results.some(({ name }) => name === 'kind')).toBe(false);
    const { drift } = verdictOf(of(12, 1), referenceOf(kinds, of(12, 0)));
    expect([drift.tested, drift.suppressed]).toEqual([22, 0]);
    expect(drift.results[0]).toMatchObject({ name: 'kind', alarm: true });
  });

  it('tests no histogram with fewer than two examples a bin, and one with more as any other', () => {
    const many = binningOf(0, { columns: [{ kind: 'category', name: 'word', values: 999 }] });
    const sized = (examples: number) => ({ participants: 50, examples, differences: alike });
    const known = referenceFor(many, sized(200), 'many');
    expect(verdictOf(drawSums(many, sized(20), 'many'), known).drift).toMatchObject({
      tested: 1,
      suppressed: 1,
    });
    const { drift } = verdictOf(drawSums(many, sized(100), 'many'), known);
    expect([drift.tested, drift.alarm]).toEqual([2, false]);
    // Every other word four times as often: 500 · 0.0006 · (ln 1.6 + ln 2.5) = 0.42, of which the added shares leave most.
    const weights = Array.from({ length: 1000 }, (_, i) => (i % 2 === 0 ? 1.6 : 0.4) / 1000);
    const moved = verdictOf(drawSums(many, { ...sized(100), weights }, 'many'), known).drift.results;
    const word = moved.find(({ name }) => name === 'word');
    expect(word?.alarm).toBe(true);
    expect(word?.effect).toBeGreaterThan(0.2);
    expect(word?.effect).toBeLessThan(0.42);
  });

  it('tells the mean error of participants with outcomes, with an interval that holds the truth', () => {
    const empty = emptyState(binning, identity);
    const [zero, full] = [new Float64Array(5), Float64Array.of(24)];
    let [held, heldWithNoise] = [0, 0];
    for (let period = 0; period < 60; period++) {
      const random = seededRandom('errors', period);
      const reports = drawReports(binning, identity, { ...population, shift: 0 }, random);
      const labelled = reports.map((_, i) => {
        const own = i % 2 === 0 ? 0.1 : 0.3;
        let errors = 0;
        for (let j = 0; j < 25; j++) if (random.uint32() / 2 ** 32 < own) errors++;
        const counts = watchedOf(binning).map(({ bins }) => [25, ...new Array<number>(bins - 1).fill(0)]);
        return summarise(
          { ...empty, observations: 25, counts, labelled: 25, errors, warned: i < 6 },
          binning,
        ) as Float32Array;
      });
      const sums = sumOf('report', binning, identity, labelled);
      const { errors } = verdictOf(sums, reference);
      expect(errors).toMatchObject({ participants: 24, warned: 0.25 });
      const [low, high] = errors?.interval ?? [1, 0];
      if (low <= 0.2 && 0.2 <= high) held++;
      // Errors alone: with nothing else to test, no bounds are simulated.
      const alone = new Map([
        ...noisy(sums, 1, period),
        ['reports', zero],
        ['present', zero],
        ['labelled', full],
      ]);
      const noise = verdictOf(alone, reference, { noise: 1 }).errors;
      if (noise !== null && noise.interval[0] <= 0.2 && 0.2 <= noise.interval[1]) heldWithNoise++;
    }
    expect(held).toBeGreaterThanOrEqual(52);
    expect(heldWithNoise).toBeGreaterThanOrEqual(52);
  });
});

it('a shift of nothing has no effect and a p-value of 1', () => {
  const spread = { shares: [1, 0], variances: [0, 0], within: 0, participants: 10 };
  expect(shiftOf(spread, spread, 0)).toMatchObject({ effect: 0, interval: [0, 0], p: 1 });
  const other = { ...spread, shares: [0, 1] };
  expect(shiftOf(spread, other, 0)).toMatchObject({ p: 0 });
});
