import { contributionHash } from '@coppice/protocol';
import { describe, expect, it } from 'vitest';
import type { Sums } from '../report/sums.ts';
import { decideGate, type GateRule } from '../rules/gate.ts';
import { comparisonEvidence } from './evidence.ts';
import { comparisonLayout, largestComparisonNorm } from './layout.ts';
import {
  type ComparedExample,
  type ComparisonMeasures,
  clusterNumbers,
  comparisonMeasures,
} from './measure.ts';
import { refusesComparison } from './refuses.ts';

const plain = { production: 'ab'.repeat(32), candidate: 'cd'.repeat(32), number: 4, older: true };
const compared = { ...plain, groups: 3 };
const hash = (of: typeof plain) => Buffer.from(contributionHash(comparisonLayout(3, of))).toString('hex');

/** Examples of a group: won and lost by the candidate, and as good with both. */
function examplesOf(group: number, won: number, lost: number, even: number): ComparedExample[] {
  const example = (production: boolean, candidate: boolean): ComparedExample => ({
    slice: 'recent',
    label: 0,
    group,
    production,
    candidate,
  });
  return [
    ...Array.from({ length: won }, () => example(false, true)),
    ...Array.from({ length: lost }, () => example(true, false)),
    ...Array.from({ length: even }, () => example(true, true)),
  ];
}

const measured = (examples: readonly ComparedExample[], classes: number | null = 3) =>
  comparisonMeasures(examples, classes, compared) as ComparisonMeasures;

function sumOf(all: readonly ComparisonMeasures[]): Sums {
  const names = comparisonLayout(3, compared).map(({ name }) => name);
  const column = (name: string) => all.map((one) => one.get(name) as Float64Array);
  return new Map(
    names.map((name) => [
      name,
      column(name).reduce((sum, one) => sum.map((value, i) => value + (one[i] as number))),
    ]),
  );
}

describe('a comparison by groups', () => {
  it('has the layout that it had without groups', () => {
    expect(hash(plain)).toBe('896740be45e3c1a8db06504ccb9c1de9');
    expect(hash(compared)).not.toBe(hash(plain));
    expect(comparisonMeasures(examplesOf(0, 5, 5, 5), 3, plain)?.has('group-sums')).toBe(false);
  });

  it.each([3, null])(
    'has the clustered sums of each group, of the slices together (%s classes)',
    (classes) => {
      // The first group in full: 4 of 8 won, 2 lost. The second has 2 of 5 examples, one lost.
      const measures = measured([...examplesOf(0, 4, 2, 2), ...examplesOf(1, 0, 1, 1)], classes);
      const numbers = ['participants', 'sizes', 'sums', 'sum-squares', 'products', 'size-squares'].map(
        (name) => [...(measures.get(`group-${name}`) as Float64Array)],
      );
      const close = (value: number) => expect.closeTo(value, 5);
      expect(numbers).toEqual([
        [1, 1, 0],
        [1, close(0.4), 0],
        [0.25, close(-0.2), 0],
        [0.0625, close(0.04), 0],
        [0.25, close(-0.08), 0],
        [1, close(0.16), 0],
      ]);
      expect(refusesComparison(measures, classes, compared)).toBeNull();
      const norm = Math.sqrt(
        [...measures.values()].flatMap((of) => [...of]).reduce((sum, one) => sum + one ** 2, 0),
      );
      expect(norm).toBeLessThanOrEqual(largestComparisonNorm(classes, compared));
    },
  );

  it.each([3, -1, 0.5, undefined])('takes %s for no group', (group) => {
    const examples = examplesOf(0, 5, 5, 5).map((one) => ({ ...one, group })) as ComparedExample[];
    expect(() => measured(examples)).toThrow(RangeError);
  });

  it.each([
    ['has a size without a participant', { 'group-sizes': 1 }],
    ['has a sum without examples', { 'group-sums': 0.5 }],
  ])('is refused where a group %s', (_, change) => {
    const measures = measured([...examplesOf(0, 4, 0, 0), ...examplesOf(1, 0, 4, 2)], null);
    expect(refusesComparison(measures, null, compared)).toBeNull();
    for (const [name, value] of Object.entries(change)) (measures.get(name) as Float64Array)[2] = value;
    expect(refusesComparison(measures, null, compared)).toEqual(expect.any(String));
  });

  it.each([
    ['more examples than the slices', 1, 0],
    ['another sum of differences than the slices', 6, -6],
  ])('is refused where the groups have %s', (_, m, d) => {
    // Each group for itself could be: it has the numbers of m examples with differences of d.
    const examples = [...examplesOf(0, 4, 0, 0), ...examplesOf(1, 0, 4, 2)];
    const measures = measured(examples, null);
    const names = {
      clusters: 'participants',
      sizes: 'sizes',
      sums: 'sums',
      sumSquares: 'sum-squares',
      products: 'products',
      sizeSquares: 'size-squares',
    } as const;
    const group = m === 1 ? 2 : 1;
    for (const [number, value] of Object.entries(clusterNumbers(m, d, 5)))
      (measures.get(`group-${names[number as keyof typeof names]}`) as Float64Array)[group] = value;
    expect(refusesComparison(measures, null, compared)).toMatch(/^Its groups have/);
  });
});

describe('the gate', () => {
  const rule: GateRule = { kind: 'gate', alpha: 0.05, older: null, worst: 0.05, fewest: 20 };
  /** Sixty devices gain in two groups; in the third they have these examples. */
  const evidenceOf = (third: readonly [won: number, lost: number, even: number]) => {
    const devices = Array.from({ length: 60 }, (_, i) =>
      measured([
        ...examplesOf(0, 12 + (i % 3), 1, 7),
        ...examplesOf(1, 12, 1, 7),
        ...examplesOf(2, ...third),
      ]),
    );
    return { ...comparisonEvidence(sumOf(devices), devices.length), candidate: 1 };
  };

  it('refuses a candidate that is better on the whole, and worse for one group', () => {
    const { act, why } = decideGate(rule, evidenceOf([0, 5, 5]));
    expect(act).toBe('refuse');
    expect(why.filter(({ outcome }) => outcome === 'failed')).toEqual([
      {
        check: 'group',
        index: 2,
        outcome: 'failed',
        difference: expect.closeTo(-0.5, 5),
        value: expect.closeTo(-0.5, 3),
        bound: 0,
      },
    ]);
  });

  it('takes one that is as good for that group, or that few devices have there', () => {
    expect(decideGate(rule, evidenceOf([1, 1, 8])).act).toBe('accept');
    const { act, why } = decideGate(rule, evidenceOf([0, 0, 0]));
    expect(act).toBe('accept');
    expect(why.find(({ check, index }) => check === 'group' && index === 2)?.outcome).toBe('unknown');
  });

  it('asks for 95 % certainty over all groups together', () => {
    const { groups, ...others } = evidenceOf([1, 1, 8]);
    expect(groups).toHaveLength(3);
    // Of 60 devices a mean of −0.05 and a standard error of 0.025: t of −2 is beyond 1.671 of one group, and within 2.183 of three.
    const sums = {
      clusters: 60,
      examples: 60,
      sum: -3,
      sumSquares: 60 * (0.05 ** 2 + 59 * 0.025 ** 2),
      products: -3,
      sizeSquares: 60,
    };
    const even = { clusters: 60, examples: 60, sum: 0, sumSquares: 0, products: 0, sizeSquares: 60 };
    expect(decideGate(rule, { ...others, groups: [sums] }).act).toBe('refuse');
    expect(decideGate(rule, { ...others, groups: [sums, even, even] }).act).toBe('accept');
  });
});
