import { type Binning, identityOf, Monitor, reportLayout, type Sums, summarise } from '@coppice/continuity';
import { gaussianDeviation } from '@coppice/federation';
import { integerBelow, normal, type RandomSource, seededRandom } from '@coppice/ports';
import { shapeSize } from '@coppice/protocol';

/** Edges that divide the standard normal distribution into ten equal shares. */
const DECILES = [-1.2816, -0.8416, -0.5244, -0.2533, 0, 0.2533, 0.5244, 0.8416, 1.2816];

/** Devices of a pool, and their examples together at most. */
const DEVICES = 10_000;
const DRAWN = 1_000_000;

/** Bins of a column and of predictions. */
const BINS = 12;

/** A population of devices: the reports of each of one column of ten bins, and of predictions of two classes. */
export interface Pool {
  readonly devices: number;
  /** Twelve shares of each, and their squares. */
  readonly shares: Float32Array;
  readonly squares: Float32Array;
  /** 1 ÷ the number of values, of all the same. */
  readonly inverse: number;
}

export interface Devices {
  /** Examples of each. */
  readonly examples: number;
  /** Standard deviation of the means of devices; all together are standard normal. */
  readonly deviation: number;
  /** Moves the mean of all. */
  readonly shift?: number;
}

/** Histograms as devices report them, drawn example by example. */
export function drawPool({ examples, deviation, shift = 0 }: Devices, seed: string): Pool {
  const binning = binningOf(1);
  const identity = identityOf(binning);
  const random = seededRandom('pool', examples, deviation, shift, seed);
  const within = Math.sqrt(1 - deviation ** 2);
  const layout = reportLayout(binning, identity);
  const devices = Math.min(DEVICES, Math.floor(DRAWN / examples));
  const shares = new Float32Array(BINS * devices);
  const squares = new Float32Array(BINS * devices);
  let inverse = 0;
  for (let device = 0; device < devices; device++) {
    const monitor = new Monitor(binning, identity);
    const mean = shift + deviation * normal(random);
    for (let i = 0; i < examples; i++)
      monitor.observe({ columns: [mean + within * normal(random)], prediction: random.uint32() % 2 });
    const numbers = summarise(monitor.state(), binning, 1) as Float32Array;
    let at = 0;
    for (const { name, shape } of layout) {
      if (name === 'shares') shares.set(numbers.subarray(at, at + BINS), BINS * device);
      if (name === 'squares') squares.set(numbers.subarray(at, at + BINS), BINS * device);
      if (name === 'inverse') inverse = numbers[at] as number;
      at += shapeSize(shape);
    }
  }
  return { devices, shares, squares, inverse };
}

/** So many columns of ten bins, and predictions of two classes. */
export function binningOf(columns: number): Binning {
  return {
    version: 1,
    recipe: 'ab'.repeat(32),
    columns: Array.from({ length: columns }, (_, i) => ({
      kind: 'number',
      name: `column ${i}`,
      edges: DECILES,
      range: null,
    })),
    prediction: { kind: 'class', classes: 2 },
    confidence: null,
  };
}

/**
 * The sum of the reports of a period: each histogram is that of a device of the pool, drawn with replacement, so that the
 * pool is the population itself.
 *
 * @param first the pool of the first column, which may have moved.
 */
export function drawSums(
  binning: Binning,
  pool: Pool,
  participants: number,
  random: RandomSource,
  first: Pool = pool,
): Sums {
  const columns = binning.columns.length;
  const layout = reportLayout(binning, '');
  const sums = new Map(layout.map(({ name, shape }) => [name, new Float64Array(shapeSize(shape))]));
  const of = (name: string) => sums.get(name) as Float64Array;
  const [shares, squares] = [of('shares'), of('squares')];
  for (let column = 0; column <= columns; column++) {
    const from = column === 0 ? first : pool;
    const [bins, begin] = column === columns ? [2, 10] : [10, 0];
    for (let i = 0; i < participants; i++) {
      const device = BINS * integerBelow(random, from.devices) + begin;
      for (let bin = 0; bin < bins; bin++) {
        const at = 10 * column + bin;
        shares[at] = (shares[at] as number) + (from.shares[device + bin] as number);
        squares[at] = (squares[at] as number) + (from.squares[device + bin] as number);
      }
    }
  }
  of('present').fill(participants);
  of('inverse').fill(participants * pool.inverse);
  of('reports').fill(participants);
  of('observations').fill(participants / pool.inverse / 65_536);
  of('missing-inverse').fill(participants * pool.inverse);
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
