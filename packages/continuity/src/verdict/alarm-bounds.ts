import { normal, type RandomSource, seededRandom, uniform } from '@coppice/ports';
import { chiSquareUpper } from '../statistics/distributions.ts';
import type { Shape } from './shift.ts';

/** Simulated periods behind a bound. */
const DRAWS = 16_384;

/** Draws in one slice: a few milliseconds of work. */
const SLICE = 4096;

/** Bounds that are kept; a task's periods need a few dozen. */
const KEPT = 10_000;

/**
 * The level at which each of so many histograms is tested where one false alarm in `every` periods is promised for all of
 * them together: 1 − (1 − 1 / every)^(1 / histograms) (Šidák, JASA 1967). Where histograms depend on each other, alarms are
 * rarer.
 */
export function alarmLevel(histograms: number, every: number): number {
  return -Math.expm1(Math.log1p(-1 / every) / histograms);
}

/**
 * Bounds above which an effect lies by chance with the probability of a level, in standard deviations of the effect, by seeded
 * simulation. The same seed gives the same bounds, whatever was asked before; each is simulated once.
 */
export class AlarmBounds {
  readonly #seed: string;
  readonly #known = new Map<string, number>();

  constructor(seed: string) {
    this.#seed = seed;
  }

  /** In slices: each `next` runs one. A bound that is known takes none. */
  *of(shape: Shape, level: number): Generator<undefined, number, undefined> {
    const rounded = coarse(shape);
    const key = keyOf(rounded, level);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const bound = yield* simulate(rounded, level, seededRandom(this.#seed, 'alarm-bound', key));
    if (this.#known.size >= KEPT) this.#known.clear();
    this.#known.set(key, bound);
    return bound;
  }
}

function keyOf({ dimensions, between, noise, degrees }: Shape, level: number): string {
  return [dimensions, between, noise, degrees, level].join(':');
}

/** A shape with numbers rounded, towards wider bounds, to a few steps: so the periods of a task share their bounds. */
function coarse({ dimensions, between, noise, degrees }: Shape): Shape {
  return {
    dimensions,
    between: stepUp(between),
    noise: stepUp(noise),
    degrees: Math.max(1, 2 ** (Math.floor(2 * Math.log2(Math.min(degrees, 4096))) / 2)),
  };
}

/** The next step of 0, ¼, and on by factors of 2; beyond 1024 it makes no difference. */
function stepUp(value: number): number {
  if (value < 1 / 16) return 0;
  return Math.min(1024, Math.max(1 / 4, 2 ** Math.ceil(Math.log2(value))));
}

/**
 * The effect without a shift is a quadratic form of normal variables, less its mean as it is estimated. All but the dimension
 * that has the variance between participants is drawn; the probability that this one exceeds the rest is exact, so that small
 * levels need no more draws than large ones.
 */
function* simulate(
  shape: Shape,
  level: number,
  random: RandomSource,
): Generator<undefined, number, undefined> {
  const { dimensions, between, noise, degrees } = shape;
  const [others, largest] = [1 + noise, 1 + noise + between];
  const shortfalls = new Float64Array(DRAWS);
  const deviations = new Float64Array(DRAWS);
  for (let i = 0; i < DRAWS; i++) {
    if (i > 0 && i % SLICE === 0) yield;
    const estimated =
      (chiSquare(dimensions * degrees, random) + between * chiSquare(degrees, random)) / degrees;
    shortfalls[i] = estimated + dimensions * noise - others * chiSquare(dimensions - 1, random);
    const seen = others + Math.max(0, estimated - dimensions);
    deviations[i] = Math.sqrt(2 * ((dimensions - 1) * others ** 2 + seen ** 2));
  }
  const exceeds = (bound: number) => {
    let sum = 0;
    for (let i = 0; i < DRAWS; i++)
      sum += chiSquareUpper((bound * (deviations[i] as number) + (shortfalls[i] as number)) / largest);
    return sum / DRAWS;
  };
  let [low, high] = [-1, 1];
  while (high < 1e6) {
    yield;
    if (exceeds(high) <= level) break;
    [low, high] = [high, 4 * high];
  }
  while (high - low > 1e-3 * high) {
    yield;
    const middle = (low + high) / 2;
    if (exceeds(middle) > level) low = middle;
    else high = middle;
  }
  return high;
}

/** A draw from the χ² distribution (Marsaglia and Tsang, ACM TOMS 2000). */
function chiSquare(degrees: number, random: RandomSource): number {
  if (degrees === 0) return 0;
  if (degrees === 1) return normal(random) ** 2;
  const boost = degrees < 2 ? (1 - uniform(random)) ** (2 / degrees) : 1;
  const d = (degrees < 2 ? degrees / 2 + 1 : degrees / 2) - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal(random);
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - uniform(random)) < x ** 2 / 2 + d - d * v + d * Math.log(v))
      return 2 * d * v * boost;
  }
}
