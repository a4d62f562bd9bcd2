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
  /** The index of its group; left out where the task declares none. */
  readonly group?: number;
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
 * @param compared `older` false: there are recent examples alone. `groups`: each example has one.
 * @param minimum the fewest examples of which anything leaves a device.
 * @returns `null` where there are fewer.
 * @throws RangeError for more examples of a slice, older ones where none are compared, a label that is no class, or a group that is none.
 */
export function comparisonMeasures(
  examples: readonly ComparedExample[],
  classes: number | null,
  compared: Pick<Compared, 'older' | 'groups'>,
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
  if (compared.groups !== undefined)
    addClusters(
      measures,
      'group',
      partsOf(examples, compared.groups, 'group', ({ group }) => group),
    );
  if (classes === null) return measures;
  addClusters(
    measures,
    'class',
    partsOf(examples, classes, 'class', ({ label }) => label),
  );
  for (const model of ['production', 'candidate'] as const) {
    const hits = examples.filter((example) => example[model]).length;
    const bins = new Float64Array(ACCURACY_BINS);
    bins[accuracyBin(hits, examples.length)] = 1;
    measures.set(`${model}-accuracy`, bins);
  }
  return measures;
}

/** Examples by an index that each has. */
function partsOf(
  examples: readonly ComparedExample[],
  count: number,
  called: string,
  indexOf: (example: ComparedExample) => number | undefined,
): ComparedExample[][] {
  const parts = Array.from({ length: count }, (): ComparedExample[] => []);
  for (const example of examples) {
    const part = parts[indexOf(example) ?? -1];
    if (part === undefined)
      throw new RangeError(`a ${called} is a whole number below ${count}, not ${indexOf(example)}`);
    part.push(example);
  }
  return parts;
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
