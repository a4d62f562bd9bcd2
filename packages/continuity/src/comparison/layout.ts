import { type ContributionLayout, shapeSize, type TensorSpec } from '@coppice/protocol';
import { canonicalHash } from '../reference/canonical.ts';
import { SHARE_UNIT, SQUARE_UNIT } from '../report/shares.ts';

/** The examples of one slice that a participant compares at most. */
export const MAX_COMPARED = 200;

/** The examples from which on a participant counts in full: of a slice, of a class, and of a group. With fewer it counts in proportion. */
export const FULL_SIZES = { recent: 20, older: 20, class: 5, group: 5 } as const;

/** Equal bins from 0 to 1 in which participants are counted by their share of hits. */
export const ACCURACY_BINS = 10;

/** The slices of a comparison: examples from a time on, and those before it. */
export const slices = ['recent', 'older'] as const;
export type Slice = (typeof slices)[number];

/** The sets of examples whose differences are summed: the slices, the classes, and the groups. */
export type ClusteredSet = keyof typeof FULL_SIZES;

/** Two models that are compared. */
export interface Compared {
  /** Hashes of their weights. */
  readonly production: string;
  readonly candidate: string;
  /** The number of the comparison among those of its task. */
  readonly number: number;
  /** False: recent examples alone are compared. */
  readonly older: boolean;
  /** The number of groups that the task declares, "other" included; left out: it declares none. */
  readonly groups?: number;
}

/** The names of the sums of a set's differences. */
export function clusterNames(of: ClusteredSet) {
  return {
    clusters: `${of}-participants`,
    sizes: `${of}-sizes`,
    sums: `${of}-sums`,
    sumSquares: `${of}-sum-squares`,
    products: `${of}-products`,
    sizeSquares: `${of}-size-squares`,
  } as const;
}

/** The slices that a comparison is of. */
export function slicesOf({ older }: Pick<Compared, 'older'>): readonly Slice[] {
  return older ? slices : ['recent'];
}

/**
 * The layout of a comparison: measures in [−1, 1]. A difference of an example is the candidate's hit less that of the model in
 * production: −1, 0 or 1. With m examples, at most `MAX_COMPARED` of a slice, whose differences add up to d, and the set's
 * `FULL_SIZES` F, the size n is min(m, F) ÷ F, and the sum s is d ÷ max(m, F), the mean difference times n:
 *
 * - `participants`: 1.
 * - `recent-participants`: 1 where m > 0; `-sizes`: n; `-sums`: s; `-sum-squares`: s²; `-products`: s n; `-size-squares`: n². The
 *   same of `older`, unless recent examples alone are compared.
 * - `better`, `worse`: 1 where the recent differences add up to more than 0, and to less.
 * - `class-participants` [C] to `class-size-squares` [C]: the six numbers of the examples of each class, of the slices together.
 * - `group-participants` [G] to `group-size-squares` [G], where the task declares groups: the same six numbers of each group.
 * - `production-accuracy` [10], `candidate-accuracy` [10]: 1 in the bin of the model's share of hits in the slices together. The
 *   last bin has 1 in it.
 *
 * @param classes their number; `null` for a numeric target, which has neither classes nor shares of hits.
 */
export function comparisonLayout(classes: number | null, compared: Compared): ContributionLayout {
  const { production, candidate, number, groups } = compared;
  // The layout's hash, which every frame carries, depends on it: no sum mixes comparisons.
  const group = `compare-${canonicalHash({ production, candidate, number }).slice(0, 32)}`;
  const tensor = (name: string, shape: number[] = [], unit = 1): TensorSpec => ({
    name,
    shape,
    role: 'measure',
    group,
    unit,
    bound: 1,
    weighted: 'one',
    precision: 'single',
  });
  const clustered = (of: ClusteredSet, shape: number[] = []) => {
    const { clusters, sizes, sums, sumSquares, products, sizeSquares } = clusterNames(of);
    return [
      tensor(clusters, shape),
      tensor(sizes, shape, SHARE_UNIT),
      tensor(sums, shape, SHARE_UNIT),
      tensor(sumSquares, shape, SQUARE_UNIT),
      tensor(products, shape, SQUARE_UNIT),
      tensor(sizeSquares, shape, SQUARE_UNIT),
    ];
  };
  return [
    tensor('participants'),
    ...slicesOf(compared).flatMap((slice) => clustered(slice)),
    tensor('better'),
    tensor('worse'),
    ...(groups === undefined ? [] : clustered('group', [groups])),
    ...(classes === null
      ? []
      : [
          ...clustered('class', [classes]),
          tensor('production-accuracy', [ACCURACY_BINS]),
          tensor('candidate-accuracy', [ACCURACY_BINS]),
        ]),
  ];
}

/**
 * The largest L2 norm of a comparison that `refusesComparison` lets pass: the most that a sum changes where one of its answers
 * becomes nothing. A participant is better or worse, and in one bin of each model; classes and groups in which it counts in full take so
 * many of its examples each, and less than that never adds more for an example.
 */
export function largestComparisonNorm(classes: number | null, compared: Compared): number {
  const examples = slicesOf(compared).length * MAX_COMPARED;
  const full = (of: 'class' | 'group', sets = 0) => Math.min(sets, Math.floor(examples / FULL_SIZES[of]));
  const squares = comparisonLayout(classes, compared).map(({ name, shape }) => {
    if (name === 'worse') return 0;
    if (name.startsWith('class-')) return full('class', classes ?? 0);
    if (name.startsWith('group-')) return full('group', compared.groups);
    return name.endsWith('-accuracy') ? 1 : shapeSize(shape);
  });
  return Math.sqrt(squares.reduce<number>((sum, one) => sum + one, 0));
}

/** The bin of a share of hits. */
export function accuracyBin(hits: number, examples: number): number {
  return Math.min(ACCURACY_BINS - 1, Math.floor((ACCURACY_BINS * hits) / examples));
}
