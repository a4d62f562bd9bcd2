import { chiSquareUpper } from '../statistics/distributions.ts';
import { logGamma } from '../statistics/special-functions.ts';

/** Steps by which a distribution is integrated, and the standard deviations that they reach to each side. */
const STEPS = 40;
const REACH = 7;

/** Steps over the ratios of variances that an estimate leaves plausible. */
const RATIOS = 80;

/** Relative precision of a bound. */
const PRECISION = 1e-3;

/** The ratio of variances beyond which the smaller one makes no difference. */
const LARGEST = 1024;

/** Bounds that are kept; a task's periods need a few hundred. */
const KEPT = 20_000;

/** The parameters of the distribution that the quadratic form of a histogram has where there is no shift. */
export interface Shape {
  /** Bins less one. */
  readonly dimensions: number;
  /** The variance within participants in each dimension, which is known. */
  readonly within: number;
  /** The variance of the added noise in each dimension, which is known. */
  readonly noise: number;
  /** The estimated variance between participants, of all dimensions together. */
  readonly between: number;
  /** Degrees of freedom, in participants, of that estimate. At least 1. */
  readonly degrees: number;
}

/** A shape in terms of the variance within participants. */
type Relative = Omit<Shape, 'within'>;

/**
 * The level at which each of so many histograms is tested where one false alarm in `every` periods is promised for all of
 * them together: 1 − (1 − 1 / every)^(1 / histograms) (Šidák, JASA 1967). Where histograms depend on each other, alarms are
 * rarer.
 */
export function alarmLevel(histograms: number, every: number): number {
  return -Math.expm1(Math.log1p(-1 / every) / histograms);
}

/**
 * Bounds above which the quadratic form of a histogram lies by chance with the probability of a level. Without a shift the form
 * is Q = Σ λ_k Z_k²: in all dimensions the variance within participants (1) and of the noise, and in one of them the variance
 * between participants, b, as well, which is the worst case. Of b there is an estimate alone: T, the sum of the estimated
 * variances, is (χ²_(D−1)ν + (1 + b) χ²_ν) / ν. A bound is the point that Q exceeds with the probability of the level, averaged
 * over the posterior distribution of b given T under the prior 1 / (1 + b): with one dimension and a large b it is that of
 * Fisher's F with 1 and ν degrees, with many participants that of a known b. Rates are at most the level, for every b.
 */
export class AlarmBounds {
  readonly #known = new Map<string, number>();

  /**
   * The bound of Q. In slices: each `next` runs one, of a few milliseconds. Bounds of a grid of shapes are computed, once, and
   * interpolated.
   */
  *of(shape: Shape, level: number): Generator<undefined, number, undefined> {
    const { dimensions, within, noise, between } = shape;
    const unit = Math.max(within, between / LARGEST, noise / LARGEST);
    if (unit === 0) return 0;
    const degrees = stepDown(shape.degrees);
    let bound = 0;
    for (const [b, ofBetween] of aroundOf(between / unit))
      for (const [n, ofNoise] of aroundOf(noise / unit))
        bound +=
          ofBetween * ofNoise * (yield* this.#at({ dimensions, between: b, noise: n, degrees }, level));
    return unit * bound;
  }

  *#at(shape: Relative, level: number): Generator<undefined, number, undefined> {
    const key = [shape.dimensions, shape.between, shape.noise, shape.degrees, level].join(':');
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const bound = yield* boundOf(shape, level);
    if (this.#known.size >= KEPT) this.#known.clear();
    this.#known.set(key, bound);
    return bound;
  }
}

/** Degrees of freedom rounded down to steps of a quarter of an octave. */
function stepDown(degrees: number): number {
  const octaves = Math.log2(Math.min(4096, Math.max(1, degrees)));
  return 2 ** (Math.floor(4 * octaves + 1e-9) / 4);
}

/** The steps of 0, ¼, and on by factors of 2 around a value, with their weights in a linear interpolation. */
function aroundOf(value: number): (readonly [step: number, weight: number])[] {
  const above = Math.max(1 / 4, 2 ** Math.ceil(Math.log2(Math.max(value, 1e-9))));
  const below = above === 1 / 4 ? 0 : above / 2;
  const weight = (value - below) / (above - below);
  return [[below, 1 - weight] as const, [above, weight] as const].filter(([, one]) => one > 0);
}

function* boundOf(shape: Relative, level: number): Generator<undefined, number, undefined> {
  const { dimensions, noise } = shape;
  const ratios = ratiosOf(shape, level);
  const others = nodesOf(dimensions - 1);
  yield;
  const exceeds = (bound: number) => {
    let sum = 0;
    for (const { value, weight } of ratios)
      for (const other of others)
        sum += weight * other.weight * chiSquareUpper((bound - (1 + noise) * other.value) / (value + noise));
    return sum;
  };
  // The logarithm of the tail is nearly linear in that of the bound, or in the bound: secants, kept inside the bracket.
  let low = (1 + noise) * dimensions;
  let high = 4 * low;
  let [above, below] = [Math.log(exceeds(low) / level), Math.log(exceeds(high) / level)];
  yield;
  while (below > 0) {
    [low, above, high] = [high, below, 4 * high];
    below = Math.log(exceeds(high) / level);
    yield;
  }
  if (above <= 0) return low;
  while (high - low > PRECISION * high) {
    const part = Number.isFinite(below) ? above / (above - below) : 0.5;
    const middle = low + (high - low) * Math.min(0.9, Math.max(0.1, part));
    const at = Math.log(exceeds(middle) / level);
    if (Math.abs(at) < PRECISION) return middle;
    if (at > 0) [low, above] = [middle, at];
    else [high, below] = [middle, at];
    yield;
  }
  return high;
}

interface Node {
  readonly value: number;
  readonly weight: number;
}

/** The posterior distribution of 1 + b. */
function ratiosOf({ dimensions, between, degrees }: Relative, level: number): Node[] {
  const likely = 1 + between;
  const width = Math.sqrt((2 / degrees) * (1 + (dimensions - 1) / likely ** 2));
  const first = Math.max(0, Math.log(likely) - REACH * width);
  // Far out the likelihood falls as (1 + b)^(−ν / 2).
  const last = Math.log(likely) + Math.min(3, REACH * width) + (2 / degrees) * (9 - Math.log(level));
  const estimated = degrees * (dimensions + between);
  const nodes = Array.from({ length: RATIOS + 1 }, (_, i) => {
    const value = Math.exp(first + ((last - first) * i) / RATIOS);
    const prior = value / Math.sqrt(value ** 2 + dimensions - 1);
    return { value, weight: prior * densityOfSum(estimated, value, (dimensions - 1) * degrees, degrees) };
  });
  const all = nodes.reduce((sum, { weight }) => sum + weight, 0);
  return nodes.map(({ value, weight }) => ({ value, weight: weight / all }));
}

/** The density of χ²_a + factor · χ²_b: the narrower one of both is integrated over. */
function densityOfSum(at: number, factor: number, a: number, b: number): number {
  if (a === 0) return density(at / factor, b) / factor;
  let sum = 0;
  if (a > factor ** 2 * b)
    for (const { value, weight } of nodesOf(b)) sum += weight * density(at - factor * value, a);
  else
    for (const { value, weight } of nodesOf(a)) sum += (weight * density((at - value) / factor, b)) / factor;
  return sum;
}

function density(x: number, degrees: number): number {
  if (x <= 0) return 0;
  const half = degrees / 2;
  return Math.exp((half - 1) * Math.log(x / 2) - x / 2 - logGamma(half)) / 2;
}

const nodes = new Map<number, readonly Node[]>();

/** Values of a χ² distribution and their weights, at equal steps of its cube root (Wilson and Hilferty, PNAS 1931). */
function nodesOf(degrees: number): readonly Node[] {
  if (degrees === 0) return [{ value: 0, weight: 1 }];
  const known = nodes.get(degrees);
  if (known !== undefined) return known;
  const width = Math.sqrt(2 / (9 * degrees));
  const made: Node[] = [];
  for (let i = 0; i <= STEPS; i++) {
    const root = 1 - width ** 2 + width * REACH * ((2 * i) / STEPS - 1);
    if (root <= 0) continue;
    const value = degrees * root ** 3;
    made.push({ value, weight: density(value, degrees) * root ** 2 });
  }
  const all = made.reduce((sum, { weight }) => sum + weight, 0);
  const weighted = made.map(({ value, weight }) => ({ value, weight: weight / all }));
  if (nodes.size >= 1000) nodes.clear();
  nodes.set(degrees, weighted);
  return weighted;
}
