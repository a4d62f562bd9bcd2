import { type Binning, identityOf, Monitor, reportLayout, type Sums, summarise } from '@coppice/continuity';
import { gaussianDeviation } from '@coppice/federation';
import { integerBelow, normal, type RandomSource, seededRandom, uniform } from '@coppice/ports';
import { shapeSize } from '@coppice/protocol';

/** Edges that divide the standard normal distribution into ten equal shares. */
const DECILES = [-1.2816, -0.8416, -0.5244, -0.2533, 0, 0.2533, 0.5244, 0.8416, 1.2816];

/** Devices of a pool, and their examples together at most. */
const DEVICES = 10_000;
const DRAWN = 1_000_000;

/** The ways in which devices differ. */
export type Differences =
  /** All have the same distribution. */
  | { readonly kind: 'alike' }
  /** Each has a mean of its own; all together are standard normal. `deviation` is that of the means. */
  | { readonly kind: 'means'; readonly deviation: number }
  /** As `means`, with means from a shifted lognormal distribution: a few devices lie far out. */
  | { readonly kind: 'skewed means'; readonly deviation: number }
  /** As `means`, and the examples of a device spread by a factor e^(0.5 z) of their own. */
  | { readonly kind: 'means and spreads'; readonly deviation: number }
  /** Shares of categories of each are from a Dirichlet distribution with these means. */
  | { readonly kind: 'shares'; readonly means: readonly number[]; readonly concentration: number }
  /** Each has one category alone, as a property of its user, drawn with these shares. */
  | { readonly kind: 'property'; readonly means: readonly number[] };

/** The ways in which values are missing. */
export type Missing =
  /** None is. */
  | { readonly kind: 'none' }
  /** A share of 0.05 · e^z of the values of a device, at most 0.9. */
  | { readonly kind: 'differs' }
  /** Half of the values of one device in ten. */
  | { readonly kind: 'some devices' }
  /** Nine tenths of the values of every other device. */
  | { readonly kind: 'two kinds' };

export interface Devices {
  /** Examples of each. */
  readonly examples: number;
  readonly differences: Differences;
  /** Moves the mean of all. */
  readonly shift?: number;
  readonly missing?: Missing;
}

/** The reports of each device of a population, of one column and of predictions of two classes. */
export interface Pool {
  readonly devices: number;
  readonly bins: number;
  /** `bins` shares of the column and two of predictions, of each device, and their squares. */
  readonly shares: Float32Array;
  readonly squares: Float32Array;
  /** 1 ÷ the number of values of the column, and of observations. */
  readonly inverse: Float32Array;
  readonly observed: Float32Array;
  readonly missing: Float32Array;
  readonly missingSquares: Float32Array;
}

/**
 * Reports of devices, drawn example by example.
 *
 * @param draw another number gives other examples of the same devices.
 */
export function drawPool({ examples, differences, shift = 0, missing }: Devices, draw: number): Pool {
  const binning = binningOf(1, differences);
  const identity = identityOf(binning);
  const layout = reportLayout(binning, identity);
  const path = [examples, JSON.stringify(differences), missing?.kind ?? 'none'];
  const devices = Math.min(DEVICES, Math.floor(DRAWN / examples));
  const own = seededRandom('devices', ...path);
  const random = seededRandom('examples', ...path, shift, draw);
  const bins = binsOf(differences);
  const pool = {
    devices,
    bins,
    shares: new Float32Array((bins + 2) * devices),
    squares: new Float32Array((bins + 2) * devices),
    inverse: new Float32Array(devices),
    observed: new Float32Array(devices),
    missing: new Float32Array(devices),
    missingSquares: new Float32Array(devices),
  };
  for (let device = 0; device < devices; device++) {
    const monitor = new Monitor(binning, identity);
    const value = valuesOf(differences, shift, own);
    const lost = missingOf(missing ?? { kind: 'none' }, own);
    for (let i = 0; i < examples; i++) {
      const isLost = lost > 0 && uniform(random) < lost;
      const drawn = value(random);
      monitor.observe({ columns: [isLost ? Number.NaN : drawn], prediction: random.uint32() % 2 });
    }
    const numbers = summarise(monitor.state(), binning, 1) as Float32Array;
    let at = 0;
    for (const { name, shape } of layout) {
      const size = shapeSize(shape);
      const of = numbers.subarray(at, at + size);
      if (name === 'shares') pool.shares.set(of, (bins + 2) * device);
      if (name === 'squares') pool.squares.set(of, (bins + 2) * device);
      if (name === 'inverse') pool.inverse[device] = of[0] as number;
      if (name === 'missing') pool.missing[device] = of[0] as number;
      if (name === 'missing-squares') pool.missingSquares[device] = of[0] as number;
      if (name === 'missing-inverse') pool.observed[device] = of[0] as number;
      at += size;
    }
  }
  return pool;
}

/** A device's way to draw a value. */
function valuesOf(
  differences: Differences,
  shift: number,
  own: RandomSource,
): (random: RandomSource) => number {
  const { kind } = differences;
  if (kind === 'shares' || kind === 'property') {
    const { means } = differences;
    const shares = kind === 'property' ? oneOf(means, own) : dirichlet(differences, own);
    return (random) => categoryOf(shares, random);
  }
  if (kind === 'alike') return (random) => shift + normal(random);
  const { deviation } = differences;
  // The lognormal distribution with a σ of 1, moved and scaled to a mean of 0 and a variance of 1.
  const skewed = (z: number) => (Math.exp(z) - Math.exp(0.5)) / Math.sqrt(Math.exp(2) - Math.exp(1));
  const z = normal(own);
  const mean = shift + deviation * (kind === 'skewed means' ? skewed(z) : z);
  const spread = kind === 'means and spreads' ? Math.exp(0.5 * normal(own)) : 1;
  const within = Math.sqrt(Math.max(0, 1 - deviation ** 2)) * spread;
  return (random) => mean + within * normal(random);
}

function oneOf(means: readonly number[], own: RandomSource): number[] {
  const one = categoryOf(means, own);
  return means.map((_, i) => (i === one ? 1 : 0));
}

function categoryOf(shares: readonly number[], random: RandomSource): number {
  let left = uniform(random);
  for (const [i, share] of shares.entries()) {
    left -= share;
    if (left < 0) return i;
  }
  return shares.length - 1;
}

function dirichlet(
  { means, concentration }: { means: readonly number[]; concentration: number },
  random: RandomSource,
): number[] {
  const drawn = means.map((share) => gamma(concentration * share, random));
  const all = drawn.reduce((sum, one) => sum + one, 0);
  return drawn.map((one) => one / all);
}

/** A draw from the gamma distribution (Marsaglia and Tsang, ACM TOMS 2000). */
function gamma(shape: number, random: RandomSource): number {
  const boost = shape < 1 ? (1 - uniform(random)) ** (1 / shape) : 1;
  const d = (shape < 1 ? shape + 1 : shape) - 1 / 3;
  for (;;) {
    const x = normal(random);
    const v = (1 + x / Math.sqrt(9 * d)) ** 3;
    if (v > 0 && Math.log(1 - uniform(random)) < x ** 2 / 2 + d - d * v + d * Math.log(v))
      return d * v * boost;
  }
}

function missingOf({ kind }: Missing, own: RandomSource): number {
  switch (kind) {
    case 'none':
      return 0;
    case 'differs':
      return Math.min(0.9, 0.05 * Math.exp(normal(own)));
    case 'some devices':
      return uniform(own) < 0.1 ? 0.5 : 0;
    case 'two kinds':
      return uniform(own) < 0.5 ? 0.9 : 0;
  }
}

function binsOf(differences: Differences): number {
  // One more for values that the task does not list.
  return 'means' in differences ? differences.means.length + 1 : DECILES.length + 1;
}

/** So many columns, of ten bins or of categories, and predictions of two classes. */
export function binningOf(columns: number, differences: Differences = { kind: 'alike' }): Binning {
  return {
    version: 1,
    recipe: 'ab'.repeat(32),
    columns: Array.from({ length: columns }, (_, i) =>
      'means' in differences
        ? { kind: 'category', name: `column ${i}`, values: differences.means.length }
        : { kind: 'number', name: `column ${i}`, edges: DECILES, range: null },
    ),
    prediction: { kind: 'class', classes: 2 },
    confidence: null,
  };
}

/** The devices of a period, for each column and for predictions, drawn from a pool with replacement: the pool is the population. */
export type Members = readonly Int32Array[];

export function drawMembers(
  pool: Pool,
  columns: number,
  participants: number,
  random: RandomSource,
): Members {
  return Array.from({ length: columns + 1 }, () =>
    Int32Array.from({ length: participants }, () => integerBelow(random, pool.devices)),
  );
}

/**
 * The sum of the reports of a period.
 *
 * @param first the pool of the first column, which may have moved.
 */
export function sumsOf(binning: Binning, members: Members, pool: Pool, first: Pool = pool): Sums {
  const columns = binning.columns.length;
  const layout = reportLayout(binning, '');
  const sums = new Map(layout.map(({ name, shape }) => [name, new Float64Array(shapeSize(shape))]));
  const of = (name: string) => sums.get(name) as Float64Array;
  const [shares, squares, inverse] = [of('shares'), of('squares'), of('inverse')];
  const [missing, missingSquares, observed] = [of('missing'), of('missing-squares'), of('missing-inverse')];
  const add = (to: Float64Array, at: number, value: number | undefined) => {
    to[at] = (to[at] as number) + (value as number);
  };
  for (const [column, devices] of members.entries()) {
    const from = column === 0 ? first : pool;
    const [bins, begin] = column === columns ? [2, from.bins] : [from.bins, 0];
    for (const device of devices) {
      for (let bin = 0; bin < bins; bin++) {
        const at = (from.bins + 2) * device + begin + bin;
        add(shares, from.bins * column + bin, from.shares[at]);
        add(squares, from.bins * column + bin, from.squares[at]);
      }
      add(inverse, column, column === columns ? from.observed[device] : from.inverse[device]);
      if (column < columns) {
        add(missing, column, from.missing[device]);
        add(missingSquares, column, from.missingSquares[device]);
      } else add(observed, 0, from.observed[device]);
    }
  }
  const participants = (members[0] as Int32Array).length;
  of('present').fill(participants);
  of('reports').fill(participants);
  of('observations').fill(participants / (first.observed[0] as number) / 65_536);
  return sums;
}

/** A sum with the noise that the cost of reading it asks for. */
export function noisy(
  sums: Sums,
  norm: number,
  rho: number,
  random: RandomSource,
): { sums: Sums; variance: number } {
  const deviation = gaussianDeviation(norm, rho);
  const drawn = new Map(
    [...sums].map(([name, values]) => [name, values.map((value) => value + deviation * normal(random))]),
  );
  return { sums: drawn, variance: deviation ** 2 };
}
