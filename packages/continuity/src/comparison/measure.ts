import { rounded, SHARE_UNIT, SQUARE_UNIT, squareOf } from '../report/shares.ts';
import { MINIMUM_COUNT } from '../report/summarise.ts';
import {
  ACCURACY_BINS,
  accuracyBin,
  type ClusteredSet,
  type Compared,
  clusterNames,
  FULL_SIZES,
  MAX_COMPARED,
  type Slice,
  slicesOf,
} from './layout.ts';

/** An example that neither model was trained on, with the hits of both. */
export interface ComparedExample {
  readonly slice: Slice;
  /** The index of its class; left out for a numeric target. */
  readonly label?: number;
  readonly production: boolean;
  readonly candidate: boolean;
}

/** Measures by tensor of `comparisonLayout`, each as long as the tensor. */
export type ComparisonMeasures = ReadonlyMap<string, Float64Array>;

/**
 * A participant's measures by `comparisonLayout`.
 *
 * @param examples at most `MAX_COMPARED` of each slice.
 * @param classes their number; `null` for a numeric target.
 * @param compared `older` false: there are recent examples alone.
 * @param minimum the fewest examples of which anything leaves a device.
 * @returns `null` where there are fewer.
 * @throws RangeError for more examples of a slice, older ones where none are compared, or a label that is no class.
 */
export function comparisonMeasures(
  examples: readonly ComparedExample[],
  classes: number | null,
  compared: Pick<Compared, 'older'>,
  minimum: number = MINIMUM_COUNT,
): ComparisonMeasures | null {
  if (examples.length < minimum) return null;
  const measures = new Map([['participants', Float64Array.of(1)]]);
  const of = slicesOf(compared);
  if (examples.some(({ slice }) => !of.includes(slice)))
    throw new RangeError('an older example is in a comparison of recent ones');
  for (const slice of of) {
    const own = examples.filter((example) => example.slice === slice);
    if (own.length > MAX_COMPARED)
      throw new RangeError(`a slice has at most ${MAX_COMPARED} examples, not ${own.length}`);
    addClusters(measures, slice, [own]);
  }
  const recent = examples.filter(({ slice }) => slice === 'recent');
  const sum = recent.reduce((total, one) => total + difference(one), 0);
  measures.set('better', Float64Array.of(sum > 0 ? 1 : 0));
  measures.set('worse', Float64Array.of(sum < 0 ? 1 : 0));
  if (classes === null) return measures;
  const byClass = Array.from({ length: classes }, (): ComparedExample[] => []);
  for (const example of examples) {
    const own = byClass[example.label ?? -1];
    if (own === undefined)
      throw new RangeError(`a class is a whole number below ${classes}, not ${example.label}`);
    own.push(example);
  }
  addClusters(measures, 'class', byClass);
  for (const model of ['production', 'candidate'] as const) {
    const hits = examples.filter((example) => example[model]).length;
    const bins = new Float64Array(ACCURACY_BINS);
    bins[accuracyBin(hits, examples.length)] = 1;
    measures.set(`${model}-accuracy`, bins);
  }
  return measures;
}

/** Adds the six numbers of one participant, for each of some sets of examples. */
function addClusters(
  measures: Map<string, Float64Array>,
  of: ClusteredSet,
  sets: readonly (readonly ComparedExample[])[],
): void {
  const names = clusterNames(of);
  const each = sets.map((examples) =>
    clusterNumbers(
      examples.length,
      examples.reduce((sum, one) => sum + difference(one), 0),
      FULL_SIZES[of],
    ),
  );
  for (const [number, name] of Object.entries(names) as [keyof ClusterNumbers, string][])
    measures.set(
      name,
      Float64Array.from(each, (numbers) => numbers[number]),
    );
}

/** The numbers of one participant and set of examples, by the keys of `clusterNames`. */
export type ClusterNumbers = Readonly<Record<keyof ReturnType<typeof clusterNames>, number>>;

/**
 * The numbers of a set of examples, in whole units of their tensors; halves are rounded upwards.
 *
 * @param m the number of examples. @param d the sum of their differences. @param full the examples that count in full.
 */
export function clusterNumbers(m: number, d: number, full: number): ClusterNumbers {
  const sizes = rounded(Math.min(m, full) / full, SHARE_UNIT);
  const sums = clippedSum(m, d, full);
  return {
    clusters: m > 0 ? 1 : 0,
    sizes,
    sums,
    sumSquares: squareOf(sums),
    products: rounded(sums * sizes, SQUARE_UNIT),
    sizeSquares: squareOf(sizes),
  };
}

/** The mean of m differences that add up to d, times the size, in whole units. */
export function clippedSum(m: number, d: number, full: number): number {
  return rounded(d / Math.max(m, full), SHARE_UNIT);
}

function difference({ production, candidate }: ComparedExample): number {
  return Number(candidate) - Number(production);
}
