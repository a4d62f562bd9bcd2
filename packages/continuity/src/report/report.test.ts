import { seededRandom, uniform } from '@coppice/ports';
import { ContributionLayoutSchema, contributionHash, contributionSize } from '@coppice/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Monitor } from '../monitor/monitor.ts';
import { identityOf } from '../reference/reference.ts';
import { reportLayout, tensorsOf } from './layout.ts';
import { binningOf, sumOf } from './population.testing.ts';
import { type RefusalName, refuses } from './refuses.ts';
import { SHARE_UNIT, sharesOf } from './shares.ts';
import { summarise } from './summarise.ts';

const binning = binningOf(2, {
  columns: [...binningOf(1).columns, { kind: 'category', name: 'colour', values: 3 }],
  confidence: { edges: [0.5, 0.9] },
});
const identity = identityOf(binning);
const layout = reportLayout(binning, identity);

/** A monitor with so many observations, of which the first have neither column. */
function monitorOf(observations: number, without: number, seed: string): Monitor {
  const random = seededRandom(seed);
  const monitor = new Monitor(binning, identity);
  for (let i = 0; i < observations; i++) {
    const columns =
      i < without ? [Number.NaN, Number.NaN] : [30 * uniform(random) - 15, Math.floor(5 * uniform(random))];
    monitor.observe({ columns, prediction: i % 2, confidence: uniform(random), id: `${i}` });
    if (i % 3 === 0) monitor.outcome(`${i}`, 0);
  }
  return monitor;
}

const report = (numbers: Float32Array, more = {}) => ({ recipe: binning.recipe, identity, numbers, ...more });
const refused = (numbers: Float32Array, more = {}) =>
  refuses(report(numbers, more), binning, identity)?.name ?? null;

/** The numbers of the guards in a report. */
function guardsOf(monitor: Monitor): number[][] {
  const tensors = tensorsOf(layout, summarise(monitor.state(), binning) as Float32Array);
  return ['guard-present', 'guard-errors', 'guard-squares'].map((name) => [...(tensors.get(name) ?? [])]);
}

describe('shares', () => {
  it('are whole units that add up to 1, each within a unit of its own', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1000), { minLength: 1, maxLength: 50 }), (counts) => {
        const all = counts.reduce((sum, one) => sum + one, 0);
        const shares = sharesOf(counts);
        expect(shares.reduce((sum, one) => sum + one, 0)).toBe(all === 0 ? 0 : 1);
        for (const [i, share] of shares.entries()) {
          expect(Number.isInteger(share / SHARE_UNIT)).toBe(true);
          if (all > 0) expect(Math.abs(share - (counts[i] as number) / all)).toBeLessThan(SHARE_UNIT);
        }
      }),
    );
  });
});

describe('the layout of reports', () => {
  it('is a layout of contributions, of measures in [0, 1] alone', () => {
    expect(ContributionLayoutSchema.parse(layout)).toEqual(layout);
    expect(
      layout.every(({ role, bound, weighted }) => role === 'measure' && bound === 1 && weighted === 'one'),
    ).toBe(true);
  });

  it('has another hash for another reference, so that no sum mixes them', () => {
    const other = identityOf(binningOf(3));
    expect(contributionHash(reportLayout(binning, other))).not.toEqual(contributionHash(layout));
  });
});

describe('a report', () => {
  it('of fewer observations than the minimum does not leave the device', () => {
    expect(summarise(monitorOf(9, 0, 'few').state(), binning)).toBeNull();
    expect(summarise(monitorOf(10, 0, 'few').state(), binning)).toHaveLength(contributionSize(layout));
    expect(summarise(monitorOf(49, 0, 'few').state(), binning, 50)).toBeNull();
  });

  it('leaves out histograms and errors of fewer values than the minimum', () => {
    const tensors = tensorsOf(layout, summarise(monitorOf(20, 15, 'gaps').state(), binning) as Float32Array);
    expect([...(tensors.get('present') ?? [])]).toEqual([0, 0, 1, 1]);
    expect([...(tensors.get('missing') ?? [])]).toEqual([0.75, 0.75]);
    expect(
      tensors
        .get('shares')
        ?.slice(0, 14)
        .every((share) => share === 0),
    ).toBe(true);
    expect([...(tensors.get('labelled') ?? [])]).toEqual([0]);
    expect([...(tensors.get('errors') ?? [])]).toEqual([0]);
  });

  it('of fewer observations than the coordinator asks for is refused, and says so', () => {
    const numbers = summarise(monitorOf(7, 0, 'seven').state(), binning, 5) as Float32Array;
    expect(refuses(report(numbers), binning, identity, 5)).toBeNull();
    expect(refuses(report(numbers), binning, identity, 10)).toEqual({
      name: 'report-counts',
      why: 'It is of 7 observations, and 10 are the fewest.',
    });
  });

  it('of any device is not refused', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 10, max: 120 }),
        fc.nat(120),
        fc.string(),
        (observations, without, seed) => {
          const numbers = summarise(monitorOf(observations, without, seed).state(), binning) as Float32Array;
          expect(refuses(report(numbers), binning, identity)).toBeNull();
        },
      ),
      { numRuns: 50 },
    );
  });

  it('of more observations than it can tell is not refused', () => {
    const state = monitorOf(40, 0, 'many').state();
    const many = {
      ...state,
      observations: 400_000,
      counts: state.counts.map((one) => one.map((n) => 10_000 * n)),
    };
    const numbers = summarise(many, binning) as Float32Array;
    expect(tensorsOf(layout, numbers).get('observations')?.[0]).toBe(1);
    expect(refused(numbers)).toBeNull();
  });

  it('tells the errors of its arm of a canary once there are enough outcomes, also where the period had few', () => {
    for (const [arm, at] of [
      ['canary', 0],
      ['control', 1],
    ] as const) {
      const monitor = monitorOf(40, 0, 'guarded');
      monitor.guard({ canary: 4, arm, model: 'm' });
      for (let i = 0; i < 10; i++) {
        monitor.observe({ columns: [1, 1], prediction: 0, confidence: 1, id: `g${i}`, model: 'm' });
        if (i === 9)
          expect(guardsOf(monitor)).toEqual([
            [0, 0],
            [0, 0],
            [0, 0],
          ]);
        monitor.outcome(`g${i}`, i < 4 ? 1 : 0);
      }
      monitor.begin(1);
      for (let i = 0; i < 10; i++) monitor.observe({ columns: [1, 1], prediction: 0, confidence: 1 });
      const own = (value: number) => (at === 0 ? [value, 0] : [0, value]);
      // 0.4 and 0.16 to the nearest units of 2⁻²⁰ and 2⁻²⁴.
      const error = 419430 / 2 ** 20;
      expect(guardsOf(monitor)).toEqual([
        own(1),
        own(error),
        own(Math.round(error ** 2 * 2 ** 24) / 2 ** 24),
      ]);
      expect(refused(summarise(monitor.state(), binning) as Float32Array)).toBeNull();
    }
  });

  const honest = summarise(monitorOf(100, 5, 'honest').state(), binning) as Float32Array;
  const changed = (name: string, at: number, value: number) => {
    const numbers = honest.slice();
    (tensorsOf(layout, numbers).get(name) as Float32Array)[at] = value;
    return numbers;
  };

  function bothArms(): Float32Array {
    const numbers = honest.slice();
    tensorsOf(layout, numbers).get('guard-present')?.fill(1);
    return numbers;
  }

  it.each<[RefusalName, Float32Array, object?]>([
    ['report-recipe', honest, { recipe: 'cd'.repeat(32) }],
    ['report-reference', honest, { identity: 'cd'.repeat(32) }],
    ['report-shape', honest.slice(1)],
    ['report-not-finite', changed('shares', 3, Number.NaN)],
    ['report-not-finite', changed('missing', 0, Number.POSITIVE_INFINITY)],
    ['report-counts', changed('reports', 0, 0)],
    ['report-counts', changed('observations', 0, 9 / 65536)],
    ['report-counts', changed('observations', 0, 50 / 65536)],
    ['report-counts', changed('present', 0, 0.5)],
    ['report-counts', changed('shares', 0, -0.25)],
    ['report-counts', changed('shares', 0, 1.5)],
    ['report-counts', changed('shares', 0, 1e-9)],
    ['report-counts', changed('inverse', 0, 0)],
    ['report-counts', changed('inverse', 0, 0.5)],
    // Of more values than there were observations.
    ['report-counts', changed('inverse', 0, 2 ** -24)],
    ['report-counts', changed('labelled', 0, 0)],
    ['report-counts', changed('guard-errors', 1, 0.5)],
    ['report-counts', changed('guard-present', 0, 0.5)],
    ['report-counts', bothArms()],
    ['report-squares', changed('guard-squares', 1, 0.25)],
    ['report-mass', changed('present', 0, 0)],
    ['report-mass', changed('shares', 0, 1)],
    ['report-squares', changed('squares', 0, 1)],
    ['report-squares', changed('missing', 0, 0.5)],
    ['report-squares', changed('outside-squares', 0, 0)],
    ['report-squares', changed('errors', 0, 0.125)],
  ])('is refused as %s (%#)', (name, numbers, more) => {
    expect(refused(honest)).toBeNull();
    expect(refused(numbers, more)).toBe(name);
  });

  it('that passes adds no more than one participant may, whatever its numbers', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(honest.length - 1), fc.constantFrom(0, 1, 0.5, 2, -1, 2 ** -20)), {
          maxLength: 6,
        }),
        (changes) => {
          const numbers = honest.slice();
          for (const [at, value] of changes) numbers[at] = value;
          if (refused(numbers) !== null) return;
          const sums = sumOf('report', binning, identity, [numbers]);
          for (const values of sums.values())
            for (const value of values) expect(value >= 0 && value <= 1).toBe(true);
          expect(
            sums
              .get('shares')
              ?.slice(0, 10)
              .reduce((sum, share) => sum + share, 0),
          ).toBeLessThanOrEqual(1);
        },
      ),
    );
  });
});
