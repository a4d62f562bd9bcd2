import { MINIMUM_COUNT } from '../report/summarise.ts';
import {
  ACCURACY_BINS,
  type ClusteredSet,
  type Compared,
  clusterNames,
  FULL_SIZES,
  MAX_COMPARED,
  slicesOf,
} from './layout.ts';
import { type ClusterNumbers, type ComparisonMeasures, clippedSum, clusterNumbers } from './measure.ts';

/**
 * Looks for measures that no examples give. Measures that pass change a sum by no more than a participant that has its full
 * number of examples of a slice, of a class, or of a group may.
 *
 * @param classes their number; `null` for a numeric target.
 * @param compared as in `comparisonMeasures`.
 * @param minimum the fewest examples, as in `comparisonMeasures`.
 * @returns the first reason to refuse them, one sentence, or `null`.
 */
export function refusesComparison(
  measures: ComparisonMeasures,
  classes: number | null,
  compared: Pick<Compared, 'older' | 'groups'>,
  minimum: number = MINIMUM_COUNT,
): string | null {
  const one = (name: string) => measures.get(name)?.[0] ?? 0;
  if (one('participants') !== 1) return `It counts for ${one('participants')} participants.`;
  const of = slicesOf(compared);
  const bySlice = of.map((slice) => examplesOf(measures, slice, 0, MAX_COMPARED));
  const nothing = bySlice.findIndex((possible) => possible.length === 0);
  if (nothing !== -1) return unlikeAny(`the ${of[nothing]} slice`);
  const ofRecent = Math.sign(bySlice[0]?.[0]?.d ?? 0);
  if (one('better') !== (ofRecent > 0 ? 1 : 0) || one('worse') !== (ofRecent < 0 ? 1 : 0))
    return `With a recent sum of ${one(clusterNames('recent').sums)} it counts as ${one('better')} better and ${one('worse')} worse.`;
  const [, most] = rangeOf(bySlice, ({ m }) => m);
  if (most < minimum) return `It is of ${most} examples, and ${minimum} are the fewest.`;
  return (
    refusesGroups(measures, compared.groups, bySlice) ??
    (classes === null ? null : refusesClasses(measures, classes, bySlice))
  );
}

/** Looks for groups that are no parts of the examples of the slices. */
function refusesGroups(
  measures: ComparisonMeasures,
  groups: number | undefined,
  bySlice: readonly (readonly Examples[])[],
): string | null {
  if (groups === undefined) return null;
  const byGroup = partsOf(measures, 'group', groups, bySlice);
  if (typeof byGroup === 'string') return byGroup;
  const { count, sum } = byGroup;
  return wholesOf(bySlice, byGroup).length > 0 ? null : unlikeSlices(pluralOf.group, count, sum);
}

/** The ranges of the examples of all parts together and of their differences, or the reason to refuse one of them. */
function partsOf(
  measures: ComparisonMeasures,
  of: 'class' | 'group',
  parts: number,
  bySlice: readonly (readonly Examples[])[],
): Parts | string {
  const most = bySlice.length * MAX_COMPARED;
  const full = FULL_SIZES[of];
  // Before the possible numbers of each part are listed: those of a thousand would take tens of milliseconds.
  const least = (measures.get(clusterNames(of).sizes) ?? new Float64Array(0)).reduce(
    (sum, size) => sum + Math.round(size * full),
    0,
  );
  if (!(least <= most))
    return `Its ${pluralOf[of]} have ${least} examples at least, and its slices ${most} at most.`;
  const each = Array.from({ length: parts }, (_, i) => examplesOf(measures, of, i, most));
  const nothing = each.findIndex((possible) => possible.length === 0);
  if (nothing !== -1) return unlikeAny(`${of} ${nothing}`);
  return { count: rangeOf(each, ({ m }) => m), sum: rangeOf(each, ({ d }) => d) };
}

const pluralOf = { class: 'classes', group: 'groups' } as const;

interface Parts {
  readonly count: Range;
  readonly sum: Range;
}

/** The examples of the slices together that parts with these ranges can make up. */
function wholesOf(
  [recent = [], older = [{ m: 0, d: 0 }]]: readonly (readonly Examples[])[],
  { count, sum }: Parts,
): Examples[] {
  return recent
    .flatMap((one) => older.map((other) => ({ m: one.m + other.m, d: one.d + other.d })))
    .filter(({ m, d }) => isIn(m, count) && isIn(d, sum));
}

function unlikeSlices(parts: string, count: Range, sum: Range): string {
  return `Its ${parts} have from ${count[0]} to ${count[1]} examples with differences from ${sum[0]} to ${sum[1]}, and its slices others.`;
}

/** A number of examples and the sum of their differences. */
interface Examples {
  readonly m: number;
  readonly d: number;
}

/** The numbers of examples, at most so many, that give a set's numbers: from the full size on there may be several. */
function examplesOf(measures: ComparisonMeasures, of: ClusteredSet, index: number, most: number): Examples[] {
  const names = Object.entries(clusterNames(of)) as [keyof ClusterNumbers, string][];
  const given = Object.fromEntries(
    names.map(([number, name]) => [number, measures.get(name)?.[index] ?? 0]),
  ) as ClusterNumbers;
  const full = FULL_SIZES[of];
  const count = Math.round(given.sizes * full);
  if (!(count >= 0 && count <= full)) return [];
  const possible: Examples[] = [];
  for (let m = count; m <= (count < full ? count : most); m++) {
    const d = Math.round(given.sums * Math.max(m, full));
    if (Math.abs(d) <= m && clippedSum(m, d, full) === given.sums) possible.push({ m, d });
  }
  const [any] = possible;
  if (any === undefined) return [];
  const right = clusterNumbers(any.m, any.d, full);
  return names.every(([number]) => right[number] === given[number]) ? possible : [];
}

function unlikeAny(called: string): string {
  return `No examples of ${called} give its size, its sum and their squares.`;
}

function refusesClasses(
  measures: ComparisonMeasures,
  classes: number,
  bySlice: readonly (readonly Examples[])[],
): string | null {
  const byClass = partsOf(measures, 'class', classes, bySlice);
  if (typeof byClass === 'string') return byClass;
  const bins: number[] = [];
  for (const model of ['production', 'candidate']) {
    const counts = measures.get(`${model}-accuracy`) ?? new Float64Array(ACCURACY_BINS);
    if (
      counts.some((count) => count !== 0 && count !== 1) ||
      counts.reduce((sum, count) => sum + count, 0) !== 1
    )
      return `Its shares of hits of ${model} do not count one participant.`;
    bins.push(counts.indexOf(1));
  }
  const [ours, theirs] = bins as [number, number];
  const wholes = wholesOf(bySlice, byClass);
  if (wholes.length === 0) return unlikeSlices(pluralOf.class, byClass.count, byClass.sum);
  const fits = wholes.some(({ m, d }) => {
    const [a, b] = [hitsIn(ours, m), hitsIn(theirs, m)];
    // Hits of production that leave room for the difference.
    return Math.max(a[0], b[0] - d) <= Math.min(a[1], b[1] - d);
  });
  return fits
    ? null
    : `With its differences, the shares of hits cannot be in the bins ${bins.join(' and ')}.`;
}

type Range = readonly [least: number, most: number];

/** The range of a sum of one of each. */
function rangeOf(each: readonly (readonly Examples[])[], value: (of: Examples) => number): Range {
  return each.reduce<Range>(
    ([least, most], possible) => {
      const values = possible.map(value);
      return [least + Math.min(...values), most + Math.max(...values)];
    },
    [0, 0],
  );
}

function isIn(value: number, [least, most]: Range): boolean {
  return value >= least && value <= most;
}

/** The hits among so many examples whose share is in a bin, as `accuracyBin` has them. */
function hitsIn(bin: number, examples: number): Range {
  const least = Math.ceil((bin * examples) / ACCURACY_BINS);
  return [
    least,
    bin === ACCURACY_BINS - 1 ? examples : Math.ceil(((bin + 1) * examples) / ACCURACY_BINS) - 1,
  ];
}
