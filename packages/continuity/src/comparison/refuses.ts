import { squareOf } from '../report/shares.ts';
import { MINIMUM_COUNT } from '../report/summarise.ts';
import { ACCURACY_BINS, accuracyBin, clusterNames, MAX_COMPARED, type Slice, slices } from './layout.ts';
import { type ComparisonMeasures, meanOf } from './measure.ts';

/**
 * Looks for measures that no examples give. Measures that pass change a mean over participants as one of them may: by a
 * difference in [−1, 1] of the mean of all.
 *
 * @param classes their number; `null` for a numeric target.
 * @param minimum the fewest examples, as in `comparisonMeasures`.
 * @returns the first reason to refuse them, one sentence, or `null`.
 */
export function refusesComparison(
  measures: ComparisonMeasures,
  classes: number | null,
  minimum: number = MINIMUM_COUNT,
): string | null {
  const shares = new Set<string>([...slices, 'class' as const].flatMap(sharesIn));
  for (const [name, values] of measures)
    for (const value of values)
      if (!shares.has(name) && !Number.isInteger(value))
        return `Its "${name}" has the number ${value}, which is no whole number.`;
  const one = (name: string) => measures.get(name)?.[0] ?? 0;
  if (one('participants') !== 1) return `It counts for ${one('participants')} participants.`;
  const [recent, older] = slices.map((slice) => clustersOf(measures, slice, 1)) as [Clusters, Clusters];
  const all = totalOf([...recent, ...older]);
  const why = [...recent, ...older].map(refusesCluster).find((found) => found !== null);
  if (why !== undefined) return why;
  if (all.n < minimum) return `It is of ${all.n} examples, and ${minimum} are the fewest.`;
  for (const { n } of [...recent, ...older])
    if (n > MAX_COMPARED) return `It is of ${n} examples of a slice, and ${MAX_COMPARED} are the most.`;
  const ofRecent = totalOf(recent);
  if (one('better') !== (ofRecent.s > 0 ? 1 : 0) || one('worse') !== (ofRecent.s < 0 ? 1 : 0))
    return `With recent differences of ${ofRecent.s} it counts as ${one('better')} better and ${one('worse')} worse.`;
  if (classes === null) return null;
  return refusesClasses(measures, classes, all);
}

interface Cluster {
  readonly called: string;
  readonly participants: number;
  readonly n: number;
  readonly s: number;
  readonly mean: number;
  readonly square: number;
}
type Clusters = readonly Cluster[];

function clustersOf(measures: ComparisonMeasures, of: Slice | 'class', sets: number): Clusters {
  const names = clusterNames(of);
  const at = (name: string, i: number) => measures.get(name)?.[i] ?? 0;
  return Array.from({ length: sets }, (_, i) => ({
    called: of === 'class' ? `class ${i}` : `the ${of} slice`,
    participants: at(names.clusters, i),
    n: at(names.examples, i),
    s: at(names.sum, i),
    mean: at(names.means, i),
    square: at(names.squares, i),
  }));
}

/** The tensors that are not in whole numbers. */
function sharesIn(of: Slice | 'class'): string[] {
  const { means, squares } = clusterNames(of);
  return [means, squares];
}

function totalOf(clusters: Clusters): { n: number; s: number } {
  return clusters.reduce((sum, { n, s }) => ({ n: sum.n + n, s: sum.s + s }), { n: 0, s: 0 });
}

function refusesCluster({ called, participants, n, s, mean, square }: Cluster): string | null {
  if (n < 0 || participants !== (n > 0 ? 1 : 0))
    return `Of ${called}, ${n} examples count for ${participants} participants.`;
  if (Math.abs(s) > n) return `Of ${called}, the differences of ${n} examples cannot add up to ${s}.`;
  const right = meanOf(n, s);
  if (mean !== right || square !== squareOf(right))
    return `Of ${called}, the mean and its square are ${mean} and ${square}, and those of ${n} examples with differences of ${s} are ${right} and ${squareOf(right)}.`;
  return null;
}

function refusesClasses(
  measures: ComparisonMeasures,
  classes: number,
  all: { n: number; s: number },
): string | null {
  const byClass = clustersOf(measures, 'class', classes);
  const why = byClass.map(refusesCluster).find((found) => found !== null);
  if (why !== undefined) return why;
  const sums = totalOf(byClass);
  if (sums.n !== all.n || sums.s !== all.s)
    return `Its classes have ${sums.n} examples with differences of ${sums.s}, and its slices ${all.n} with ${all.s}.`;
  const bins: number[] = [];
  for (const model of ['production', 'candidate']) {
    const counts = measures.get(`${model}-accuracy`) ?? new Float64Array(ACCURACY_BINS);
    if (counts.some((count) => count < 0) || counts.reduce((sum, count) => sum + count, 0) !== 1)
      return `Its shares of hits of ${model} do not count one participant.`;
    bins.push(counts.indexOf(1));
  }
  // Hits of production that leave room for the difference.
  const [least, most] = [Math.max(0, -all.s), all.n - Math.max(0, all.s)];
  for (let hits = least; hits <= most; hits++)
    if (accuracyBin(hits, all.n) === bins[0] && accuracyBin(hits + all.s, all.n) === bins[1]) return null;
  return `Of ${all.n} examples with differences of ${all.s}, the shares of hits cannot be in the bins ${bins.join(' and ')}.`;
}
