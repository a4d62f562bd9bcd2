import type { ContributionLayout, TensorSpec } from '@coppice/protocol';
import { canonicalHash } from '../reference/canonical.ts';
import { SHARE_UNIT, SQUARE_UNIT } from '../report/shares.ts';

/** The examples of one slice that a participant compares at most. */
export const MAX_COMPARED = 200;

/** Equal bins from 0 to 1 in which participants are counted by their share of hits. */
export const ACCURACY_BINS = 10;

/** The slices of a comparison: examples from a time on, and those before it. */
export const slices = ['recent', 'older'] as const;
export type Slice = (typeof slices)[number];

/** Two models that are compared. */
export interface Compared {
  /** Hashes of their weights. */
  readonly production: string;
  readonly candidate: string;
  /** The number of the comparison among those of its task. */
  readonly number: number;
}

/** The names of the sums of differences, in which each participant counts once, by its mean difference. */
export function clusterNames(of: Slice | 'class') {
  return {
    clusters: `${of}-participants`,
    examples: `${of}-examples`,
    sum: `${of}-differences`,
    means: `${of}-means`,
    squares: `${of}-squares`,
  } as const;
}

/**
 * The layout of a comparison. A difference of an example is the candidate's hit less that of the
 * model in production: −1, 0 or 1. With n examples whose differences add up to s, at most `MAX_COMPARED` of a slice:
 *
 * - `participants`: 1.
 * - `recent-participants`: 1 where n > 0; `-examples`: n; `-differences`: s; `-means`: s ÷ n; `-squares`: its square. The same of
 *   `older`.
 * - `better`, `worse`: 1 where the recent differences add up to more than 0, and to less.
 * - `class-participants` [C] to `class-squares` [C]: the five sums of the examples of each class, of both slices.
 * - `production-accuracy` [10], `candidate-accuracy` [10]: 1 in the bin of the model's share of hits in both slices. The last bin
 *   has 1 in it.
 *
 * @param classes their number; `null` for a numeric target, which has neither classes nor shares of hits.
 */
export function comparisonLayout(classes: number | null, compared: Compared): ContributionLayout {
  const { production, candidate, number } = compared;
  // The layout's hash, which every frame carries, depends on it: no sum mixes comparisons.
  const group = `compare-${canonicalHash({ production, candidate, number }).slice(0, 32)}`;
  const tensor = (name: string, bound: number, shape: number[] = [], unit = 1): TensorSpec => ({
    name,
    shape,
    role: 'measure',
    group,
    unit,
    bound,
    weighted: 'one',
    precision: 'single',
  });
  const clustered = (of: Slice | 'class', most: number, shape: number[] = []) => {
    const { clusters, examples, sum, means, squares } = clusterNames(of);
    return [
      tensor(clusters, 1, shape),
      tensor(examples, most, shape),
      tensor(sum, most, shape),
      tensor(means, 1, shape, SHARE_UNIT),
      tensor(squares, 1, shape, SQUARE_UNIT),
    ];
  };
  return [
    tensor('participants', 1),
    ...slices.flatMap((slice) => clustered(slice, MAX_COMPARED)),
    tensor('better', 1),
    tensor('worse', 1),
    ...(classes === null
      ? []
      : [
          ...clustered('class', slices.length * MAX_COMPARED, [classes]),
          tensor('production-accuracy', 1, [ACCURACY_BINS]),
          tensor('candidate-accuracy', 1, [ACCURACY_BINS]),
        ]),
  ];
}

/** The bin of a share of hits. */
export function accuracyBin(hits: number, examples: number): number {
  return Math.min(ACCURACY_BINS - 1, Math.floor((ACCURACY_BINS * hits) / examples));
}
