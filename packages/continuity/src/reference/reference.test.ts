import { createHash } from 'node:crypto';
import { normal, seededRandom } from '@coppice/ports';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { binningOf, drawSums, noisy } from '../report/population.testing.ts';
import { BinningSchema, binOf, columnBin, watchedOf } from './binning.ts';
import { canonicalHash, canonicalJson } from './canonical.ts';
import { fineEdges, quantileEdges } from './edges.ts';
import { identityOf, ReferenceSchema, referenceOf } from './reference.ts';

const ascending = fc
  .uniqueArray(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: 1, maxLength: 30 })
  .map((edges) => edges.toSorted((a, b) => a - b));

describe('bins', () => {
  it('hold the values between their edges, the lower edge included, and the open ends all others', () => {
    fc.assert(
      fc.property(ascending, fc.double({ noNaN: true }), (edges, value) => {
        expect(binOf(edges, value)).toBe(edges.filter((edge) => edge <= value).length);
      }),
    );
    expect([-1, 0, 0.5, 1, 9].map((value) => binOf([0, 1], value))).toEqual([0, 1, 1, 2, 2]);
  });

  it('of a category are its values, and one for all others', () => {
    const column = { kind: 'category', name: 'colour', values: 3 } as const;
    expect([0, 2, 3, 7, -1, 0.5].map((value) => columnBin(column, value))).toEqual([0, 2, 3, 3, 3, 3]);
  });

  it('of all histograms follow each other', () => {
    const binning = binningOf(1, {
      columns: [
        { kind: 'number', name: 'a', edges: [0, 1], range: null },
        { kind: 'category', name: 'b', values: 3 },
      ],
      confidence: { edges: [0.5] },
    });
    expect(watchedOf(binning).map(({ role, bins, at }) => [role, bins, at])).toEqual([
      ['input', 3, 0],
      ['input', 4, 3],
      ['prediction', 2, 7],
      ['confidence', 2, 9],
    ]);
  });

  it('are refused where edges do not ascend', () => {
    const [column] = binningOf(1).columns;
    for (const edges of [[], [1, 1], [2, 1], [0, Number.NaN], [0, Number.POSITIVE_INFINITY]])
      expect(
        BinningSchema.safeParse(binningOf(1, { columns: [{ ...column, edges } as never] })).success,
      ).toBe(false);
    expect(BinningSchema.parse(binningOf(2))).toEqual(binningOf(2));
  });
});

describe('edges', () => {
  it('of a first histogram ascend, over a plausible range or about the mean', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1e6, max: 1e6, noNaN: true }),
        fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
        fc.boolean(),
        (mean, scale, ranged) => {
          const edges = fineEdges({ mean, scale, ...(ranged ? { min: mean, max: mean + scale } : {}) });
          expect(edges.length).toBeGreaterThan(0);
          expect(edges.every((edge, i) => i === 0 || edge > (edges[i - 1] as number))).toBe(true);
        },
      ),
    );
    expect(fineEdges({ mean: 5, scale: 2 })).toContain(5);
    expect(fineEdges({ mean: 0, scale: 1, min: 0, max: 254 }).slice(0, 3)).toEqual([0, 1, 2]);
  });

  it('of about equal shares are the sample quantiles, to the width of a cell', () => {
    const random = seededRandom('quantiles');
    const sample = Array.from({ length: 20_000 }, () => 50 + 3 * normal(random)).sort((a, b) => a - b);
    const cells = fineEdges({ mean: 50, scale: 3 });
    const shares = new Array<number>(cells.length + 1).fill(0);
    for (const value of sample) shares[binOf(cells, value)] = (shares[binOf(cells, value)] as number) + 1;
    const edges = quantileEdges(
      cells,
      shares.map((one) => one / sample.length),
      10,
    );
    expect(edges).toHaveLength(9);
    for (const [i, edge] of edges.entries())
      expect(Math.abs(edge - (sample[2000 * (i + 1)] as number))).toBeLessThan(0.25);
  });

  it('are each there once, where many values are the same, and there is always one', () => {
    expect(quantileEdges([0, 1, 2], [0, 1, 0, 0], 10)).toHaveLength(2);
    expect(quantileEdges([0], [1, 0], 10)).toEqual([0]);
    fc.assert(
      fc.property(
        fc.array(fc.nat(5), { minLength: 2, maxLength: 20 }),
        fc.integer({ min: 2, max: 12 }),
        (counts, bins) => {
          const all = counts.reduce((sum, one) => sum + one, 0) || 1;
          const cells = counts.slice(1).map((_, i) => i);
          const edges = quantileEdges(
            cells,
            counts.map((one) => one / all),
            bins,
          );
          expect(edges.length).toBeGreaterThan(0);
          expect(edges.length).toBeLessThan(bins);
          expect(edges).toEqual([...new Set(edges)].sort((a, b) => a - b));
        },
      ),
    );
  });
});

describe('a reference', () => {
  const binning = binningOf(2, {
    columns: [...binningOf(1).columns, { kind: 'category', name: 'colour', values: 3 }],
    confidence: { edges: [0.5, 0.9] },
  });
  const sums = drawSums(
    binning,
    { participants: 12, examples: 80, differences: { kind: 'none' } },
    'reference',
  );
  const reference = referenceOf(binning, sums);

  it('is made of summed reports, and stored as JSON', () => {
    expect(ReferenceSchema.parse(JSON.parse(JSON.stringify(reference)))).toEqual(reference);
    expect(reference).toMatchObject({ participants: 12, examples: 960 });
    for (const { spread } of [...reference.columns, reference.prediction])
      expect(spread.shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
  });

  it('knows the variance of its shares: that of one participant over the participants', () => {
    const column = reference.columns[0]?.spread;
    const total = column?.variances.reduce((sum, variance) => sum + variance, 0) as number;
    // Multinomial: Σ p (1 − p) / n = 0.9 / 960.
    expect(total / (0.9 / 960)).toBeGreaterThan(0.7);
    expect(total / (0.9 / 960)).toBeLessThan(1.4);
    expect(column?.within).toBeCloseTo(1 / 960, 6);
  });

  it('of noisy sums is one as well, and knows less for the noise', () => {
    const noise = 0.5 ** 2;
    const uncertain = referenceOf(binning, noisy(sums, 0.5, 'reference'), noise);
    expect(ReferenceSchema.parse(uncertain)).toEqual(uncertain);
    const participants = uncertain.columns[0]?.spread.participants ?? 0;
    for (const variance of uncertain.columns[0]?.spread.variances ?? [])
      expect(variance).toBeGreaterThanOrEqual(noise / participants ** 2);
    const [first] = uncertain.columns;
    expect(first?.spread.noise).toBeCloseTo(noise / participants ** 2, 12);
    expect(first?.missing.noise).toBeCloseTo(noise / uncertain.participants ** 2, 12);
  });

  it('of sums without noise has none, so that its identity is that of earlier versions', () => {
    expect(reference.columns.some(({ spread, missing }) => 'noise' in spread || 'noise' in missing)).toBe(
      false,
    );
  });

  it('of nothing is one of no participants', () => {
    const empty = referenceOf(binning, new Map());
    expect(ReferenceSchema.parse(empty)).toEqual(empty);
    expect(empty).toMatchObject({
      participants: 0,
      prediction: { spread: { shares: [0, 0], participants: 0 } },
    });
  });

  it('has an identity that depends on each of its numbers, and not on the order of its members', () => {
    const identity = identityOf(reference);
    const { columns, ...rest } = reference;
    expect(identityOf({ columns, ...rest })).toBe(identity);
    expect(identityOf({ ...reference, examples: 961 })).not.toBe(identity);
    expect(identityOf(binning)).not.toBe(identity);
    expect(canonicalHash({ b: [1, 'ä'], a: null })).toBe(
      createHash('sha256').update('{"a":null,"b":[1,"ä"]}').digest('hex'),
    );
    expect(canonicalJson({ a: undefined, c: 1e21, b: { z: 1, y: -0 } })).toBe(
      '{"b":{"y":0,"z":1},"c":1e+21}',
    );
  });

  it('is refused where its shares are not those of its bins', () => {
    const [first, second] = reference.columns as [
      (typeof reference.columns)[0],
      (typeof reference.columns)[1],
    ];
    const shares = first.spread.shares;
    const broken = [
      { ...first, spread: { ...first.spread, shares: shares.slice(1) } },
      { ...first, spread: { ...first.spread, shares: shares.map((share) => share / 2) } },
      { ...first, spread: { ...first.spread, variances: [] } },
    ];
    for (const column of broken)
      expect(ReferenceSchema.safeParse({ ...reference, columns: [column, second] }).success).toBe(false);
  });
});
