import { MINIMUM_COUNT } from '../report/summarise.ts';
import { ACCURACY_BINS, accuracyBin, clusterNames, MAX_COMPARED, type Slice, slices } from './layout.ts';
import type { ComparisonMeasures } from './measure.ts';

/**
 * Looks for measures that no examples give. Measures that pass change a mean by no more than the examples that they claim,
 * at most `MAX_COMPARED` of a slice.
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
  for (const [name, values] of measures)
    for (const value of values)
      if (!Number.isInteger(value)) return `Its "${name}" has the number ${value}, which is no whole number.`;
  const one = (name: string) => measures.get(name)?.[0] ?? 0;
  if (one('participants') !== 1) return `It counts for ${one('participants')} participants.`;
  const [recent, older] = slices.map((slice) => clustersOf(measures, slice, 1)) as [Clusters, Clusters];
  const [won, lost] = [one('won'), one('lost')];
  const all = totalOf([...recent, ...older]);
  const why = [...recent, ...older].map(refusesCluster).find((found) => found !== null);
  if (why !== undefined) return why;
  if (all.n < minimum) return `It is of ${all.n} examples, and ${minimum} are the fewest.`;
  for (const { n } of [...recent, ...older])
    if (n > MAX_COMPARED) return `It is of ${n} examples of a slice, and ${MAX_COMPARED} are the most.`;
  const ofRecent = totalOf(recent);
  if (won < 0 || lost < 0 || won - lost !== ofRecent.s || won + lost > ofRecent.n)
    return `Of ${ofRecent.n} recent examples with differences of ${ofRecent.s}, ${won} cannot be won and ${lost} lost.`;
  if (one('better') !== (ofRecent.s > 0 ? 1 : 0) || one('worse') !== (ofRecent.s < 0 ? 1 : 0))
    return `With recent differences of ${ofRecent.s} it counts as ${one('better')} better and ${one('worse')} worse.`;
  if (classes === null) return null;
  return refusesClasses(measures, { classes, all, won, lost, apart: totalOf(older).s });
}

interface Cluster {
  readonly called: string;
  readonly participants: number;
  readonly n: number;
  readonly s: number;
  readonly squares: readonly number[];
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
    squares: [at(names.sumSquares, i), at(names.products, i), at(names.sizeSquares, i)],
  }));
}

function totalOf(clusters: Clusters): { n: number; s: number } {
  return clusters.reduce((sum, { n, s }) => ({ n: sum.n + n, s: sum.s + s }), { n: 0, s: 0 });
}

function refusesCluster({ called, participants, n, s, squares }: Cluster): string | null {
  if (n < 0 || participants !== (n > 0 ? 1 : 0))
    return `Of ${called}, ${n} examples count for ${participants} participants.`;
  if (Math.abs(s) > n) return `Of ${called}, the differences of ${n} examples cannot add up to ${s}.`;
  const right = [s * s, s * n, n * n];
  if (right.some((square, i) => square !== squares[i]))
    return `Of ${called}, squares and products are ${squares.join(', ')}, and those of ${n} examples with differences of ${s} are ${right.join(', ')}.`;
  return null;
}

function refusesClasses(
  measures: ComparisonMeasures,
  {
    classes,
    all,
    won,
    lost,
    apart,
  }: { classes: number; all: { n: number; s: number }; won: number; lost: number; apart: number },
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
  // Hits of production: all examples that were lost, and none of those that were won.
  const [least, most] = [lost + Math.max(0, -apart), all.n - won - Math.max(0, apart)];
  for (let hits = least; hits <= most; hits++)
    if (accuracyBin(hits, all.n) === bins[0] && accuracyBin(hits + all.s, all.n) === bins[1]) return null;
  return `Of ${all.n} examples with differences of ${all.s}, the shares of hits cannot be in the bins ${bins.join(' and ')}.`;
}
