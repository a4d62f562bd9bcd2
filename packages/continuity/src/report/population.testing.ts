import { normal, type RandomSource, seededRandom, uniform } from '@coppice/ports';
import { shapeSize } from '@coppice/protocol';
import { Monitor } from '../monitor/monitor.ts';
import type { MonitorState } from '../monitor/state.ts';
import { type Binning, binOf, watchedOf } from '../reference/binning.ts';
import { identityOf } from '../reference/reference.ts';
import { tensorsOf } from './layout.ts';
import { layoutOf, type ReportKind } from './statistics-layout.ts';
import { summarise } from './summarise.ts';
import type { Sums } from './sums.ts';

/* Participants with drawn histograms, their reports, and the sums of these. */

/** Edges that divide the standard normal distribution into ten equal shares. */
const DECILES = [-1.2816, -0.8416, -0.5244, -0.2533, 0, 0.2533, 0.5244, 0.8416, 1.2816];

/** A binning with so many numeric columns, two classes and, where asked for, a category column of three values. */
export function binningOf(columns: number, more: Partial<Binning> = {}): Binning {
  return {
    version: 1,
    recipe: 'ab'.repeat(32),
    columns: Array.from({ length: columns }, (_, i) => ({
      kind: 'number' as const,
      name: `x${i}`,
      edges: DECILES,
      range: [-10, 10],
    })),
    prediction: { kind: 'class', classes: 2 },
    confidence: null,
    ...more,
  };
}

/** The reports' sum by tensor, in float64. */
export function sumOf(
  kind: ReportKind,
  binning: Binning,
  identity: string,
  reports: Iterable<Float32Array>,
): Sums {
  const layout = layoutOf(kind, binning, identity);
  const sums = new Map(layout.map(({ name, shape }) => [name, new Float64Array(shapeSize(shape))]));
  for (const numbers of reports)
    for (const [name, values] of tensorsOf(layout, numbers)) {
      const sum = sums.get(name) as Float64Array;
      for (const [i, value] of values.entries()) sum[i] = (sum[i] as number) + value;
    }
  return sums;
}

/** The ways in which participants differ from each other. */
export type Differences =
  /** All have the same distribution. */
  | { readonly kind: 'none' }
  /** Each has a mean of its own, with this standard deviation. */
  | { readonly kind: 'means'; readonly deviation: number }
  /** Each has shares of its own, drawn from a Dirichlet distribution with this concentration. */
  | { readonly kind: 'shares'; readonly concentration: number };

/** A period's participants. */
export interface Population {
  readonly participants: number;
  /** Examples of each. */
  readonly examples: number;
  readonly differences: Differences;
  /** Mean shares of histograms that are not of normal numbers. Default: all the same. */
  readonly weights?: readonly number[];
  /** Moves the mean of the first column of all participants. */
  readonly shift?: number;
  /** The part of the values of the first column that are missing. */
  readonly missing?: number;
}

/** A state in which nothing was counted. */
export function emptyState(binning: Binning, identity: string): MonitorState {
  return new Monitor(binning, identity).state();
}

/** Reports of a period, drawn. Columns are independent standard normal, but for the differences and the shift. */
export function drawReports(
  binning: Binning,
  identity: string,
  population: Population,
  random: RandomSource,
): Float32Array[] {
  const empty = emptyState(binning, identity);
  return Array.from({ length: population.participants }, () => {
    const state = {
      ...empty,
      observations: population.examples,
      counts: watchedOf(binning).map(({ bins }, i) => drawCounts(bins, i, population, random)),
      missing: empty.missing.map((_, i) =>
        i === 0 ? drawn(population.missing ?? 0, population, random) : 0,
      ),
    };
    return summarise(state, binning, 1) as Float32Array;
  });
}

/** The sum of a drawn period. */
export function drawSums(binning: Binning, population: Population, ...path: (string | number)[]): Sums {
  const identity = identityOf(binning);
  return sumOf(
    'report',
    binning,
    identity,
    drawReports(binning, identity, population, seededRandom(...path)),
  );
}

/** Sums with Gaussian noise on each of their numbers. */
export function noisy(sums: Sums, deviation: number, ...path: (string | number)[]): Sums {
  const random = seededRandom('noise', ...path);
  return new Map(
    [...sums].map(([name, values]) => [name, values.map((value) => value + deviation * normal(random))]),
  );
}

function drawn(share: number, { examples }: Population, random: RandomSource): number {
  let count = 0;
  for (let i = 0; share > 0 && i < examples; i++) if (uniform(random) < share) count++;
  return count;
}

function drawCounts(bins: number, index: number, population: Population, random: RandomSource): number[] {
  const { examples, differences, shift = 0, weights = new Array<number>(bins).fill(1 / bins) } = population;
  const counts = new Array<number>(bins).fill(0);
  if (differences.kind === 'shares' || bins !== DECILES.length + 1) {
    const own = counts.map((_, bin) => {
      const share = weights[bin] ?? 0;
      return differences.kind === 'shares' ? gammaOf(differences.concentration * share, random) : share;
    });
    const all = own.reduce((sum, one) => sum + one, 0);
    for (let i = 0; i < examples; i++) {
      let left = uniform(random) * all;
      let bin = 0;
      while (bin < bins - 1 && left >= (own[bin] as number)) left -= own[bin++] as number;
      counts[bin] = (counts[bin] as number) + 1;
    }
    return counts;
  }
  // All participants together are normal, with a standard deviation of 1.
  const deviation = differences.kind === 'means' ? differences.deviation : 0;
  const mean = (index === 0 ? shift : 0) + deviation * normal(random);
  const within = Math.sqrt(1 - deviation ** 2);
  for (let i = 0; i < examples; i++) {
    const bin = binOf(DECILES, mean + within * normal(random));
    counts[bin] = (counts[bin] as number) + 1;
  }
  return counts;
}

/** A draw from the gamma distribution (Marsaglia and Tsang, ACM TOMS 2000). */
function gammaOf(shape: number, random: RandomSource): number {
  if (shape === 0) return 0;
  const boost = shape < 1 ? (1 - uniform(random)) ** (1 / shape) : 1;
  const d = (shape < 1 ? shape + 1 : shape) - 1 / 3;
  for (;;) {
    const x = normal(random);
    const v = (1 + x / Math.sqrt(9 * d)) ** 3;
    if (v > 0 && Math.log(1 - uniform(random)) < x ** 2 / 2 + d - d * v + d * Math.log(v))
      return d * v * boost;
  }
}
