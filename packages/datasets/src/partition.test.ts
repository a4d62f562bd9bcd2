import { seededRandom } from '@coppice/ports';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dirichlet } from './partition/dirichlet.ts';
import { heterogeneity } from './partition/heterogeneity.ts';
import { type Partition, parsePartition } from './partition/spec.ts';
import { partition } from './partition.ts';

const spec: fc.Arbitrary<Partition> = fc.oneof(
  fc.constant({ kind: 'iid' as const }),
  fc.record({ kind: fc.constant('shards' as const), shards: fc.integer({ min: 1, max: 4 }) }),
  fc.record({
    kind: fc.constant('dirichlet' as const),
    alpha: fc.double({ min: 1e-6, max: 100, noNaN: true }),
  }),
  fc.record({
    kind: fc.constant('quantity-skew' as const),
    sizes: fc.constantFrom('dirichlet' as const, 'power' as const),
    value: fc.double({ min: 1e-6, max: 10, noNaN: true }),
  }),
  fc.record({
    kind: fc.constant('feature-skew' as const),
    alpha: fc.double({ min: 1e-6, max: 100, noNaN: true }),
    column: fc.constant(null),
  }),
  fc.record({
    kind: fc.constant('continuous' as const),
    alpha: fc.double({ min: 1e-6, max: 100, noNaN: true }),
  }),
);

const labelled = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 48, maxLength: 300 });

it('deals out every example exactly once, and something to everyone', () => {
  fc.assert(
    fc.property(
      labelled,
      fc.integer({ min: 1, max: 12 }),
      spec,
      fc.integer(),
      (labels, clients, how, seed) => {
        const parts = partition(labels, clients, how, seed, { features: labels });
        expect(parts).toHaveLength(clients);
        for (const part of parts) expect(part.length).toBeGreaterThan(0);
        const dealt = parts.flatMap((part) => [...part]).sort((a, b) => a - b);
        expect(dealt).toEqual([...labels.keys()]);
      },
    ),
  );
});

it('depends on its arguments only', () => {
  fc.assert(
    fc.property(labelled, spec, fc.integer(), (labels, how, seed) => {
      const bytes = Uint8Array.from(labels);
      expect(partition(labels, 5, how, seed, { features: labels })).toEqual(
        partition(bytes, 5, how, seed, { features: bytes }),
      );
    }),
  );
  const labels = new Float32Array(100);
  expect(partition(labels, 4, { kind: 'iid' }, 1)).not.toEqual(partition(labels, 4, { kind: 'iid' }, 2));
});

const balanced = Float32Array.from({ length: 1000 }, (_, i) => i % 10);

it('iid: sizes differ by one at most, and every class is everywhere', () => {
  const parts = partition(balanced, 7, { kind: 'iid' }, 'a');
  const sizes = parts.map((part) => part.length);
  expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
  for (const part of parts) expect(new Set(part.map((row) => balanced[row] as number)).size).toBe(10);
});

it('shards: nobody sees more classes than shards where shards hold one class', () => {
  const parts = partition(balanced, 10, { kind: 'shards', shards: 2 }, 'a');
  for (const part of parts) {
    expect(part).toHaveLength(100);
    expect(new Set(part.map((row) => balanced[row] as number)).size).toBeLessThanOrEqual(2);
  }
});

it('dirichlet: the smaller α, the less alike', () => {
  // Mean, over participants, of the share of their largest class: 0.1 when all are alike, 1 at worst.
  const concentration = (alpha: number) => {
    const parts = partition(balanced, 10, { kind: 'dirichlet', alpha }, 'a');
    const shares = parts.map((part) => {
      const counts = new Array<number>(10).fill(0);
      for (const row of part)
        counts[balanced[row] as number] = (counts[balanced[row] as number] as number) + 1;
      return Math.max(...counts) / part.length;
    });
    return shares.reduce((sum, share) => sum + share, 0) / shares.length;
  };
  expect(concentration(0.05)).toBeGreaterThan(0.55);
  expect(concentration(1000)).toBeLessThan(0.15);
});

it.each([0.3, 1, 5])('draws shares with the mean and variance of Dirichlet(%d)', (alpha) => {
  // For k components: mean 1/k, variance (1/k)(1 − 1/k) / (kα + 1).
  const random = seededRandom('dirichlet', alpha);
  const [k, draws] = [4, 20_000];
  const first = Array.from({ length: draws }, () => {
    const shares = dirichlet(k, alpha, random);
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 10);
    return shares[0] as number;
  });
  const mean = first.reduce((sum, share) => sum + share, 0) / draws;
  const variance = first.reduce((sum, share) => sum + (share - mean) ** 2, 0) / draws;
  const expected = ((1 / k) * (1 - 1 / k)) / (k * alpha + 1);
  // Five standard errors of the mean; the variance within 6 %.
  expect(Math.abs(mean - 1 / k)).toBeLessThan(5 * Math.sqrt(expected / draws));
  expect(Math.abs(variance / expected - 1)).toBeLessThan(0.06);
});

describe('refusals', () => {
  it.each([
    ['too few examples', [1, 2], 3, { kind: 'iid' }],
    ['too few examples for the shards', [1, 2, 3], 2, { kind: 'shards', shards: 2 }],
    ['nobody', [1], 0, { kind: 'iid' }],
    ['half a participant', [1, 2], 1.5, { kind: 'iid' }],
    ['numbers for classes', [0.5, 1.5, 2.5], 2, { kind: 'dirichlet', alpha: 1 }],
  ] as const)('%s', (_, labels, clients, how) => {
    expect(() => partition(labels, clients, how, 1)).toThrow(
      expect.objectContaining({ code: 'config-invalid' }),
    );
  });

  it.each([
    '',
    'iid:1',
    'shards',
    'shards:0',
    'shards:1.5',
    'dirichlet',
    'dirichlet:',
    'dirichlet:0',
    'x',
    'shards:1:2',
  ])('of "%s"', (text) => {
    expect(() => parsePartition(text)).toThrow(expect.objectContaining({ code: 'config-invalid' }));
  });
});

it('reads the forms', () => {
  expect(parsePartition(' iid ')).toEqual({ kind: 'iid' });
  expect(parsePartition('shards:2')).toEqual({ kind: 'shards', shards: 2 });
  expect(parsePartition('dirichlet:0.5')).toEqual({ kind: 'dirichlet', alpha: 0.5 });
});

it('reads the forms beside labels', () => {
  expect(parsePartition('by-column:hospital:A')).toEqual({ kind: 'by-column', column: 'hospital:A' });
  expect(parsePartition('by-column petal width')).toEqual({ kind: 'by-column', column: 'petal width' });
  expect(parsePartition('quantity-skew')).toEqual({ kind: 'quantity-skew', sizes: 'dirichlet', value: 0.5 });
  expect(parsePartition('quantity-skew:power:1.2')).toEqual({
    kind: 'quantity-skew',
    sizes: 'power',
    value: 1.2,
  });
  expect(parsePartition('feature-skew:0.1')).toEqual({ kind: 'feature-skew', alpha: 0.1, column: null });
  expect(parsePartition('feature-skew:0.1:age')).toEqual({ kind: 'feature-skew', alpha: 0.1, column: 'age' });
  expect(parsePartition('continuous')).toEqual({ kind: 'continuous', alpha: 0.5 });
});

describe('by-column', () => {
  const column = Array.from({ length: 90 }, (_, row) => `site ${(row * 7) % 9}`);
  const labels = new Float32Array(90);
  const how = { kind: 'by-column', column: 'site' } as const;

  it('gives each value to a participant of its own, in the order of the rows', () => {
    const parts = partition(labels, 9, how, 1, { column });
    expect(parts.map((rows) => [...new Set([...rows].map((row) => column[row]))])).toEqual(
      [...new Set(column)].map((value) => [value]),
    );
  });

  it('keeps the rows of a value together where values are dealt to fewer', () => {
    const parts = partition(labels, 4, how, 1, { column });
    const holders = new Map<string, Set<number>>();
    for (const [client, rows] of parts.entries())
      for (const row of rows) {
        const value = column[row] as string;
        holders.set(value, (holders.get(value) ?? new Set()).add(client));
      }
    expect([...holders.values()].every((clients) => clients.size === 1)).toBe(true);
    expect(parts.map((rows) => rows.length).sort((a, b) => a - b)).toEqual([20, 20, 20, 30]);
  });

  it('is refused with more participants than values', () => {
    expect(() => partition(labels, 10, how, 1, { column })).toThrow('has 9 values');
  });
});

it('quantity-skew: sizes differ, classes do not', () => {
  const how = { kind: 'quantity-skew', sizes: 'power', value: 1 } as const;
  const parts = partition(balanced, 4, how, 'a');
  // Weights 1, 1/2, 1/3, 1/4 of 996, and one more for each: 478.08, 239.04, 159.36, 119.52.
  expect(parts.map((rows) => rows.length)).toEqual([479, 240, 160, 121]);
  expect(new Set(parts[0]?.map((row) => balanced[row] as number)).size).toBe(10);
});

it.each(['continuous', 'feature-skew'] as const)(
  '%s: the smaller α, the less alike are the numbers',
  (kind) => {
    const numbers = Float64Array.from({ length: 1000 }, (_, row) => Math.sin(row) * 50);
    const means = (alpha: number) => {
      const how = kind === 'continuous' ? { kind, alpha } : { kind, alpha, column: null };
      // Beside it a feature that says nothing, which the direction leaves out.
      const features = Float64Array.from({ length: 2000 }, (_, at) => (at % 2 === 0 ? numbers[at / 2]! : 3));
      return partition(numbers, 5, how, 'a', { features }).map(
        (rows) => rows.reduce((sum, row) => sum + (numbers[row] as number), 0) / rows.length,
      );
    };
    const range = (values: readonly number[]) => Math.max(...values) - Math.min(...values);
    expect(range(means(0.1))).toBeGreaterThan(30);
    expect(range(means(1000))).toBeLessThan(8);
  },
);

it('feature-skew: names a column whose values are no numbers', () => {
  const how = { kind: 'feature-skew', alpha: 1, column: 'name' } as const;
  expect(() => partition([0, 1], 2, how, 1, { column: ['1', 'x'] })).toThrow('"name" has "x"');
});

it('heterogeneity: leaves the comparison of pairs out where there are very many', () => {
  expect(heterogeneity(Array.from({ length: 3000 }, () => [1, 1])).pairwiseHellinger).toBeNull();
});
