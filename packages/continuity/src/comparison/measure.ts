import { rounded, SHARE_UNIT, squareOf } from '../report/shares.ts';
import { MINIMUM_COUNT } from '../report/summarise.ts';
import { ACCURACY_BINS, accuracyBin, clusterNames, MAX_COMPARED, type Slice, slices } from './layout.ts';

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
 * @param minimum the fewest examples of which anything leaves a device.
 * @returns `null` where there are fewer.
 * @throws RangeError for more examples of a slice, or a label that is no class.
 */
export function comparisonMeasures(
  examples: readonly ComparedExample[],
  classes: number | null,
  minimum: number = MINIMUM_COUNT,
): ComparisonMeasures | null {
  if (examples.length < minimum) return null;
  const measures = new Map([['participants', Float64Array.of(1)]]);
  for (const slice of slices) {
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

/** Adds the five sums of one participant, for each of some sets of examples. */
function addClusters(
  measures: Map<string, Float64Array>,
  of: Slice | 'class',
  sets: readonly (readonly ComparedExample[])[],
): void {
  const names = clusterNames(of);
  const n = sets.map((examples) => examples.length);
  const s = sets.map((examples) => examples.reduce((sum, one) => sum + difference(one), 0));
  const put = (name: string, value: (n: number, s: number) => number) =>
    measures.set(
      name,
      Float64Array.from(n, (size, i) => value(size, s[i] as number)),
    );
  put(names.clusters, (n) => (n > 0 ? 1 : 0));
  put(names.examples, (n) => n);
  put(names.sum, (_, s) => s);
  put(names.means, meanOf);
  put(names.squares, (n, s) => squareOf(meanOf(n, s)));
}

/** The mean of n differences that add up to s, in whole numbers of `SHARE_UNIT`; 0 of none. */
export function meanOf(n: number, s: number): number {
  return n > 0 ? rounded(s / n, SHARE_UNIT) : 0;
}

function difference({ production, candidate }: ComparedExample): number {
  return Number(candidate) - Number(production);
}
