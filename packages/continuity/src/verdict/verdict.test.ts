import { seededRandom } from '@coppice/ports';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Binning, watchedOf } from '../reference/binning.ts';
import { identityOf, type Reference, referenceOf, type Spread } from '../reference/reference.ts';
import { reportLayout, tensorsOf } from '../report/layout.ts';
import {
  binningOf,
  drawReports,
  drawSums,
  emptyState,
  type Population,
  sumOf,
} from '../report/population.testing.ts';
import { refuses } from '../report/refuses.ts';
import { summarise } from '../report/summarise.ts';
import type { Sums } from '../report/sums.ts';
import { AlarmBounds, alarmLevel } from './alarm-bounds.ts';
import { shiftOf } from './shift.ts';
import { judge, type Verdict, type VerdictOptions } from './verdict.ts';

const bounds = new AlarmBounds('tests');
const alike = { kind: 'none' } as const;

function verdictOf(sums: Sums, reference: Reference, options: VerdictOptions = {}): Verdict {
  const steps = judge(sums, reference, bounds, options);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** The reference of a population, as a statistics exchange makes it. */
function referenceFor(binning: Binning, population: Population, ...path: (string | number)[]): Reference {
  return referenceOf(binning, drawSums(binning, population, 'reference', ...path));
}

/** The population stability index between N(0, 1) and N(shift, 1) over deciles, by numerical integration. */
function trueIndex(shift: number): number {
  const [column] = binningOf(1).columns;
  const edges = column?.kind === 'number' ? column.edges : [];
  const steps = 20_000;
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

/** P[X ≤ k] of n trials with probability p. */
function binomialLower(k: number, n: number, p: number): number {
  let [sum, term] = [0, (1 - p) ** n];
  for (let i = 0; i <= k; i++) {
    sum += term;
    term *= ((n - i) / (i + 1)) * (p / (1 - p));
  }
  return sum;
}

describe('without drift', () => {
  // The alarm's threshold is 0 here, so that chance alone decides. A reference is drawn anew for each period.
  it.each<[columns: number, population: Population, exact: boolean]>([
    [3, { participants: 10, examples: 50, differences: alike }, true],
    [10, { participants: 30, examples: 30, differences: alike }, true],
    [3, { participants: 100, examples: 20, differences: alike }, true],
    [3, { participants: 20, examples: 50, differences: { kind: 'means', deviation: 0.5 } }, true],
    [10, { participants: 50, examples: 20, differences: { kind: 'means', deviation: 0.3 } }, true],
    [3, { participants: 8, examples: 50, differences: { kind: 'means', deviation: 0.7 } }, false],
    [3, { participants: 20, examples: 50, differences: { kind: 'shares', concentration: 5 } }, false],
    [3, { participants: 20, examples: 50, differences: { kind: 'shares', concentration: 1 } }, false],
  ])('%i columns and %o: one period in twenty has an alarm, as promised', (columns, population, exact) => {
    const [every, periods] = [20, 300];
    const binning = binningOf(columns);
    let alarms = 0;
    for (let period = 0; period < periods; period++) {
      const reference = referenceFor(binning, population, period);
      const sums = drawSums(binning, population, 'period', period);
      if (verdictOf(sums, reference, { threshold: 0, every }).drift.alarm) alarms++;
    }
    // The rate lies in the interval that holds a rate of 1/20 with 99.8 %; where differences between participants lie in
    // many dimensions, it may be lower.
    expect(1 - binomialLower(alarms - 1, periods, 1 / every)).toBeGreaterThan(0.001);
    if (exact) expect(binomialLower(alarms, periods, 1 / every)).toBeGreaterThan(0.001);
  });

  it('p-values of single histograms are below 0.05 in one of twenty', () => {
    const binning = binningOf(4);
    const population = {
      participants: 30,
      examples: 40,
      differences: { kind: 'means', deviation: 0.4 },
    } as const;
    let [below, effects, all] = [0, 0, 0];
    for (let period = 0; period < 150; period++) {
      const reference = referenceFor(binning, population, 'p', period);
      for (const { role, p, effect } of verdictOf(drawSums(binning, population, 'p', period), reference).drift
        .results) {
        if (role !== 'input') continue;
        all++;
        effects += effect;
        if (p < 0.05) below++;
      }
    }
    expect(binomialLower(below, all, 0.05)).toBeGreaterThan(0.001);
    expect(1 - binomialLower(below - 1, all, 0.05)).toBeGreaterThan(0.001);
    // What chance adds to the index, 0.05 here, is taken off.
    expect(Math.abs(effects / all)).toBeLessThan(0.005);
  });

  it('noise in the sums raises no more alarms than promised', () => {
    const binning = binningOf(3);
    const population = { participants: 200, examples: 20, differences: alike } as const;
    const [every, periods, deviation] = [20, 200, 1];
    let alarms = 0;
    for (let period = 0; period < periods; period++) {
      const reference = referenceFor(binning, population, 'noise', period);
      const sums = noisy(drawSums(binning, population, 'noise', period), deviation, period);
      if (verdictOf(sums, reference, { threshold: 0, every, noise: deviation ** 2 }).drift.alarm) alarms++;
    }
    expect(1 - binomialLower(alarms - 1, periods, 1 / every)).toBeGreaterThan(0.001);
  });
});

/** Sums with Gaussian noise on each of their numbers. */
function noisy(sums: Sums, deviation: number, seed: number): Sums {
  const random = seededRandom('noise', seed);
  const normal = () => {
    const radius = Math.sqrt(-2 * Math.log(1 - random.uint32() / 2 ** 32));
    return radius * Math.cos((2 * Math.PI * random.uint32()) / 2 ** 32);
  };
  return new Map(
    [...sums].map(([name, values]) => [name, values.map((value) => value + deviation * normal())]),
  );
}

describe('the verdict on a shift', () => {
  // PSI of 0.05, half of the threshold, and of 0.2, twice it.
  const [half, twice] = [0.2245, 0.4495];

  it('has these true effects', () => {
    expect(trueIndex(half)).toBeCloseTo(0.05, 2);
    expect(trueIndex(twice)).toBeCloseTo(0.2, 2);
  });

  it.each<[participants: number, examples: number, periods: number]>([
    [50, 20, 60],
    [100, 1000, 3],
  ])(
    'of %i participants with %i examples each is the same at half and at twice the threshold',
    (participants, examples, periods) => {
      const binning = binningOf(10);
      const reference = referenceFor(
        binning,
        { participants: 200, examples: 50, differences: alike },
        'power',
      );
      const alarms = (shift: number) => {
        let count = 0;
        for (let period = 0; period < periods; period++) {
          const population = { participants, examples, differences: alike, shift };
          if (verdictOf(drawSums(binning, population, 'power', period), reference).drift.alarm) count++;
        }
        return count / periods;
      };
      expect(alarms(half)).toBeLessThanOrEqual(0.1);
      expect(alarms(twice)).toBeGreaterThanOrEqual(0.9);
    },
  );

  it('holds the true effect in its interval, and has the column that moved first', () => {
    const binning = binningOf(10);
    const population = {
      participants: 60,
      examples: 50,
      differences: { kind: 'means', deviation: 0.2 },
    } as const;
    // Means apart by 0.2 keep all participants together standard normal.
    const truth = trueIndex(twice);
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
    const { quality } = verdictOf(sumOf(binning, identity, reports), known);
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
    const whole = verdictOf(sumOf(binning, identity, reports), reference);
    fc.assert(
      fc.property(fc.array(fc.nat(2), { minLength: 24, maxLength: 24 }), (servers) => {
        const parts = [0, 1, 2].map((server) =>
          sumOf(
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
    expect(verdictOf(sumOf(binning, identity, []), reference).drift.tested).toBe(0);
  });

  it('tells the mean error of participants with outcomes, with an interval that holds the truth', () => {
    const empty = emptyState(binning, identity);
    let held = 0;
    for (let period = 0; period < 100; period++) {
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
      const { errors } = verdictOf(sumOf(binning, identity, labelled), reference);
      expect(errors).toMatchObject({ participants: 24, warned: 0.25 });
      const [low, high] = errors?.interval ?? [1, 0];
      if (low <= 0.2 && 0.2 <= high) held++;
    }
    expect(held).toBeGreaterThanOrEqual(89);
  });
});

describe('one liar among many', () => {
  const binning = binningOf(2);
  const identity = identityOf(binning);
  const layout = reportLayout(binning, identity);

  /** The report within all bounds that puts all its mass into one bin of each histogram. */
  function lieOf(bin: number): Float32Array {
    const lie = new Float32Array(layout.reduce((sum, { shape }) => sum + (shape[0] ?? 1), 0));
    const tensors = tensorsOf(layout, lie);
    const set = (name: string, at: number, value: number) => {
      (tensors.get(name) as Float32Array)[at] = value;
    };
    for (const name of ['reports', 'observations', 'labelled', 'errors', 'errors-square', 'warned'])
      set(name, 0, 1);
    set('missing-inverse', 0, 2 ** -20);
    for (const [i, { bins, at }] of watchedOf(binning).entries()) {
      set('present', i, 1);
      set('inverse', i, 2 ** -20);
      set('shares', at + Math.min(bin, bins - 1), 1);
      set('squares', at + Math.min(bin, bins - 1), 1);
    }
    for (const name of ['missing', 'missing-squares', 'outside', 'outside-squares'])
      for (let i = 0; i < binning.columns.length; i++) set(name, i, 1);
    return lie;
  }

  it.each([10, 30, 100])(
    'of %i participants raises no alarm, and hides none, whatever it says',
    (participants) => {
      const quiet = { participants, examples: 100, differences: alike };
      const reference = referenceFor(binning, { ...quiet, participants: 100 }, 'liar');
      const moved = { ...quiet, shift: 1 };
      for (let bin = 0; bin < 10; bin++) {
        const lie = lieOf(bin);
        expect(refuses({ recipe: binning.recipe, identity, numbers: lie }, binning, identity)).toBeNull();
        const withLie = (population: Population) => {
          const others = drawReports(binning, identity, population, seededRandom('liar', bin)).slice(1);
          return verdictOf(sumOf(binning, identity, [...others, lie]), reference);
        };
        const calm = withLie(quiet);
        expect(calm.drift.alarm).toBe(false);
        expect(calm.quality.alarm).toBe(false);
        expect(withLie(moved).drift.alarm).toBe(true);
      }
    },
  );

  it('moves no share by more than 1 / n, and no effect by more than the mass allows', () => {
    const participants = 50;
    const quiet = { participants, examples: 100, differences: alike };
    const reference = referenceFor(binning, quiet, 'bound');
    const honest = drawReports(binning, identity, quiet, seededRandom('bound'));
    const before = verdictOf(sumOf(binning, identity, honest), reference);
    for (let bin = 0; bin < 10; bin++) {
      const after = verdictOf(sumOf(binning, identity, [...honest.slice(1), lieOf(bin)]), reference);
      for (const name of ['x0', 'x1']) {
        const [was, is] = [before, after].map(({ drift }) => drift.results.find((one) => one.name === name));
        for (const [i, share] of (is?.current ?? []).entries())
          expect(Math.abs(share - (was?.current[i] as number))).toBeLessThanOrEqual(1 / participants + 1e-9);
        // A mass of 1/n into a bin of 0.1: (1/n) ln(1 + 1/(0.1 n)) and what it takes from the others, and 2/n of variance.
        expect(Math.abs((is?.effect ?? 1) - (was?.effect ?? 0))).toBeLessThan(3 / participants);
      }
    }
  });
});

describe('bounds of alarms', () => {
  it('share the promise among histograms', () => {
    expect(alarmLevel(1, 100)).toBeCloseTo(0.01, 12);
    expect(1 - (1 - alarmLevel(30, 100)) ** 30).toBeCloseTo(0.01, 12);
  });

  it('are those of the χ² distribution where the variance is known', () => {
    // χ²: 99.9 % points for 1, 9 and 20 degrees of freedom (Abramowitz and Stegun, table 26.8).
    for (const [dimensions, quantile] of [
      [1, 10.828],
      [9, 27.877],
      [20, 45.315],
    ] as const) {
      const bound = bounds.of({ dimensions, between: 0, noise: 0, degrees: 1e9 }, 0.001);
      expect(Math.abs(bound / ((quantile - dimensions) / Math.sqrt(2 * dimensions)) - 1)).toBeLessThan(0.05);
    }
  });

  it('depend on the seed and the shape alone, and are simulated once', () => {
    const shape = { dimensions: 4, between: 3, noise: 0, degrees: 20 };
    const [a, b] = [new AlarmBounds('seed'), new AlarmBounds('seed')];
    expect(b.isNew(shape, 0.01)).toBe(true);
    b.of({ ...shape, dimensions: 7 }, 0.01);
    expect(b.of(shape, 0.01)).toBe(a.of(shape, 0.01));
    expect(b.isNew(shape, 0.01)).toBe(false);
    expect(new AlarmBounds('other').of(shape, 0.01)).not.toBe(a.of(shape, 0.01));
  });

  it('grow as levels fall, and as participants are fewer', () => {
    const shape = { dimensions: 9, between: 1, noise: 0, degrees: 50 };
    const at = (level: number, more = {}) => bounds.of({ ...shape, ...more }, level);
    expect(at(0.001)).toBeGreaterThan(at(0.01));
    expect(at(0.001, { degrees: 5 })).toBeGreaterThan(at(0.001));
  });
});

it('a shift of nothing has no effect and a p-value of 1', () => {
  const spread = { shares: [1, 0], variances: [0, 0], within: 0, participants: 10 };
  expect(shiftOf(spread, spread, 0)).toMatchObject({ effect: 0, interval: [0, 0], p: 1, deviation: 0 });
  const other = { ...spread, shares: [0, 1] };
  expect(shiftOf(spread, other, 0)).toMatchObject({ p: 0 });
});
