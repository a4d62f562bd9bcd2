import { fastestVariant, Int64s, type KernelInstance, kernelInstance, type Variant } from '@coppice/kernels';
import { CoppiceError, MAX_COHORT } from '@coppice/protocol';
import { bytesOf, float32Values, readingRoom, type Values } from '../codecs/values.ts';
import { STEP_UNIT } from '../contributions/layout.ts';
import type { NormBound } from '../pipeline/norm-bound.ts';
import { finish, STEP_PARAMETERS, type Steps, undo } from '../steps.ts';
import {
  addSquares,
  checkShape,
  inspect,
  judged,
  MAX_WEIGHTED,
  type NormLimit,
  readSlice,
  roleWithin,
  type Squares,
} from './check-values.ts';

/*
 * Exact sums. Floating-point addition depends on its order; updates arrive in any order. So each weighted value
 * x = weight × Δ (exact in float64: 24 + 28 bits) becomes a whole number of units, 2⁻³⁶ by default,
 *
 *   T = round(x / unit), ties to even,
 *
 * and whole numbers are summed, as int64, in the memory of WebAssembly kernels. A bound on each slice's sums says when
 * they could leave int64; what does not fit is carried, in 2³² units, to a second array. The total high · 2³² + low is
 * exact, so any order, any grouping, any merge of partial sums gives the same bits; when something was carried makes no
 * difference. The rounding error is each update's own: at most half a unit of x.
 *
 * An update is read, checked and added slice by slice, while the slice is in the processor's cache. A bad one is taken
 * off again, slice by slice: T(−Δ) = −T(Δ), so nothing of it is left.
 */
const CARRY = 2 ** 32;

/** The most updates that one accumulator takes, partial sums included: |high| stays below 2⁵³. */
export const MAX_UPDATES = MAX_COHORT;

/** Below it the kernels round by adding and subtracting 1.5 · 2⁵². */
const ROUNDER_RANGE = 2 ** 51;
/** Sums are carried before their bound reaches this, half of what int64 holds. */
const CARRY_BOUND = 2 ** 62;

/** Parameters worked on at once: values and sums of a slice stay in the second-level cache. A multiple of every codec's block. */
export const SLICE = 2 ** 14;
/** Byte offset of a slice's values; its mean, in float64, takes the same place. */
const VALUES = 0;
const SUMS = readingRoom(SLICE);

/** A partial sum, as it can be stored or sent to be merged elsewhere: (high · 2³² + low) units. */
export interface PartialSum {
  readonly updates: number;
  /** The sum of the weights. */
  readonly weight: number;
  readonly high: Float64Array;
  readonly low: Float64Array;
}

/** A vector that is in a sum and does not count yet. */
export interface Held {
  /** The factor by which the limit shortened it. */
  readonly factor: number;
  /** L2 norms of the vector as it came; 0 without a limit. */
  readonly norms: NormBound;
  /** It counts from now on. */
  count(): void;
  /** Takes it off again, a piece at a time: once the steps are done, nothing of it is left in the sum. */
  takeOff(): Steps<void>;
}

/** The part of a vector that is in the sum: parameters `from` to before `to`, times `counted`. */
interface Standing {
  readonly counted: number;
  from: number;
  to: number;
}

/**
 * The weighted mean of vectors, summed exactly. Memory: 8 bytes a parameter, 16 where values are
 * large, however many updates, and a slice.
 *
 * @example
 * const sum = new ExactAccumulator(2);
 * sum.add(new Float32Array([1, 2]), 1);
 * sum.add(new Float32Array([4, 8]), 2);
 * sum.mean(); // [3, 6]
 */
export class ExactAccumulator {
  readonly #parameters: number;
  #memory: KernelInstance;
  /** Calls of `addUnits` since each slice was last settled. */
  readonly #additions: Int32Array;
  /** Upper bound on |low| in each slice. */
  readonly #bounds: Float64Array;
  /** Byte offset of carried sums, allocated on first use: updates of ordinary size never carry. */
  #high: number | null = null;
  /** Updates that are partly summed. */
  #underWay = 0;
  #released = false;
  #updates = 0;
  #weight = 0;
  readonly #unit: number;

  /**
   * @param unit in which the sum is a whole number; a power of two.
   * @param variant which kernels sum: all give the same bits.
   */
  constructor(parameters: number, variant: Variant = fastestVariant(), unit: number = STEP_UNIT) {
    this.#parameters = parameters;
    this.#unit = unit;
    this.#memory = memoryFor(SUMS + parameters * 8, variant);
    const slices = Math.ceil(parameters / SLICE);
    this.#additions = new Int32Array(slices);
    this.#bounds = new Float64Array(slices);
  }

  get updates(): number {
    return this.#updates;
  }

  /** The sum of the weights. */
  get weight(): number {
    return this.#weight;
  }

  /**
   * Adds one vector, `values` of the accumulator's length, times `weight`, a whole number from 1 to 2²⁸.
   *
   * @returns the factor by which the limit shortened it: 1 where it was within.
   * @throws CoppiceError `update-shape`, `update-examples`, `update-not-finite`, `update-norm` or
   *   `update-out-of-range`; then nothing was added.
   */
  add(values: Float32Array, weight: number, limit?: NormLimit): number {
    return finish(this.addInSteps(float32Values(values), weight, limit));
  }

  /**
   * As `add`, from however the values came, a piece of the model at a time. It counts when it is done; given up in
   * between, nothing was added (see `giveUp`). Others may be added meanwhile, but the sum cannot be read.
   *
   * @throws CoppiceError as `add`, and what reading the values throws.
   */
  *addInSteps(values: Values, weight: number, limit?: NormLimit): Steps<number> {
    const held = yield* this.holdInSteps(values, weight, limit);
    held.count();
    return held.factor;
  }

  /**
   * As `addInSteps`, but for the counting: the vector is in the sum until `count` is called or `takeOff` is done, one of
   * them, and once. Until then the sum cannot be read. It is how vectors of several sums are added together or not at all.
   *
   * @throws CoppiceError as `add`; then nothing was added.
   */
  *holdInSteps(values: Values, weight: number, limit?: NormLimit): Steps<Held> {
    this.#requireRoom(1);
    checkShape(values.parameters, this.#parameters, weight);
    let factor = 1;
    let norms: NormBound = { trainable: 0, nonTrainable: 0 };
    let standing: Standing = { counted: weight, from: 0, to: 0 };
    let done = false;
    this.#underWay++;
    try {
      const squares = yield* this.#addWhole(values, standing, { weight, limit });
      const found = judged(squares, limit);
      if (found.fault !== null) throw found.fault;
      ({ factor, norms } = found);
      if (factor < 1) {
        yield* this.#takeOff(values, standing);
        standing = { counted: shortened(weight, factor), from: 0, to: 0 };
        yield* this.#addWhole(values, standing, { weight, limit });
      }
      done = true;
    } finally {
      if (!done) yield* undo(this.#withdraw(values, standing));
    }
    const count = () => {
      this.#underWay--;
      this.#updates += 1;
      this.#weight += weight;
    };
    return { factor, norms, count, takeOff: () => this.#withdraw(values, standing) };
  }

  *#withdraw(values: Values, standing: Standing): Steps<void> {
    yield* this.#takeOff(values, standing);
    this.#underWay--;
  }

  /**
   * Adds every slice times `standing.counted`. Where it ends early, `standing` tells what is in the sum.
   *
   * @returns Σ value², 0 without a limit.
   */
  *#addWhole(
    values: Values,
    standing: Standing,
    { weight, limit }: { weight: number; limit: NormLimit | undefined },
  ): Steps<Squares> {
    const squares: Squares = { trainable: 0, nonTrainable: 0 };
    // A power of two times a whole number: one exact multiplication a value.
    const scale = standing.counted / this.#unit;
    while (standing.to < this.#parameters) {
      const at = standing.to;
      if (at > 0 && at % STEP_PARAMETERS === 0) yield;
      const magnitude = this.#read(values, at);
      // Not a number is not less, either.
      if (!(magnitude * weight <= this.#maxWeighted))
        throw (yield* inspect(values, weight, limit, this.#maxWeighted)).fault;
      const end = at + this.#sliceLength(at);
      const role = limit === undefined ? null : roleWithin(limit.layout, at, end);
      if (limit !== undefined && role === null) addSquares(squares, this.#memory, limit.layout, at, end);
      const sum = this.#addSlice(at, magnitude, scale);
      if (role !== null) squares[role] += sum;
      standing.to = end;
    }
    return squares;
  }

  /** Adds what another accumulator has summed. Exact, like everything here. @throws CoppiceError `update-shape`, `update-out-of-range` */
  merge(partial: PartialSum): void {
    this.requireMergeable(partial);
    const { high, low } = partial;
    const ownHigh = this.#ownHigh();
    for (let from = 0; from < this.#parameters; from += SLICE) this.#makeRoom(from, CARRY);
    const lows = new Int64s(this.#memory.buffer, SUMS, this.#parameters);
    const highs = new Int64s(this.#memory.buffer, ownHigh, this.#parameters);
    for (let i = 0; i < this.#parameters; i++) {
      const carried = Math.floor((low[i] as number) / CARRY);
      lows.add(i, 0, (low[i] as number) - carried * CARRY);
      addWhole(highs, i, high[i] as number);
      addWhole(highs, i, carried);
    }
    this.#updates += partial.updates;
    this.#weight += partial.weight;
  }

  /** All that `merge` looks at; nothing is added. @throws CoppiceError as `merge`. */
  requireMergeable(partial: PartialSum): void {
    const { high, low } = partial;
    if (high.length !== this.#parameters || low.length !== this.#parameters) {
      throw new CoppiceError(
        'update-shape',
        'A partial sum of another model cannot be merged into this one.',
      );
    }
    this.#requireRoom(partial.updates);
    if (!high.every(Number.isSafeInteger) || !low.every(Number.isSafeInteger)) {
      throw new CoppiceError('update-out-of-range', 'A partial sum holds what is not a whole number.');
    }
  }

  /** Returns the sum, 0 ≤ low < 2³². The same updates give the same arrays. */
  partial(): PartialSum {
    this.#requireIdle();
    for (let from = 0; from < this.#parameters; from += SLICE) this.#settle(from);
    const high = new Float64Array(this.#parameters);
    const low = new Float64Array(this.#parameters);
    const lows = new Int64s(this.#memory.buffer, SUMS, this.#parameters);
    const highs = this.#high === null ? null : new Int64s(this.#memory.buffer, this.#high, this.#parameters);
    for (let i = 0; i < this.#parameters; i++) {
      high[i] = lows.high(i) + (highs?.get(i) ?? 0);
      low[i] = lows.low(i);
    }
    return { updates: this.#updates, weight: this.#weight, high, low };
  }

  /** Σ weight × Δ ÷ Σ weight, in float64, rounded twice: once in the sum, once in the quotient. */
  mean(): Float64Array {
    return finish(this.meanInSteps());
  }

  /** As `mean`, a piece of the model at a time; nothing may be added until it is done. */
  *meanInSteps(): Steps<Float64Array> {
    this.#requireIdle();
    if (this.#weight === 0) throw new RangeError('the mean of no updates is not defined');
    const mean = new Float64Array(this.#parameters);
    for (let from = 0; from < mean.length; from += SLICE) {
      if (from > 0 && from % STEP_PARAMETERS === 0) yield;
      this.#meanOfSlice(from);
      mean.set(new Float64Array(this.#memory.buffer, VALUES, this.#sliceLength(from)), from);
    }
    return mean;
  }

  /** Hands its memory to the next sum: allocation costs more than summing a dozen updates. Counts stay readable. */
  release(): void {
    this.#requireIdle();
    if (this.#memory.buffer.byteLength <= MOST_SPARE) spare = this.#memory;
    this.#memory = kernelInstance(0, 'scalar');
    this.#released = true;
  }

  /** Puts a slice of values in its place. @returns the largest |value|; infinite or NaN where any is. */
  #read(values: Values, from: number): number {
    return readSlice(values, this.#memory, { from, to: from + this.#sliceLength(from), at: VALUES });
  }

  /** Adds the slice of values that was read. @returns Σ value² of it. */
  #addSlice(from: number, magnitude: number, scale: number): number {
    const { kernels } = this.#memory;
    const count = this.#sliceLength(from);
    const units = magnitude * Math.abs(scale);
    if (units < ROUNDER_RANGE) {
      this.#makeRoom(from, units + 1);
      const slice = from / SLICE;
      this.#additions[slice] = (this.#additions[slice] as number) + 1;
      return kernels.addUnits(count, scale, VALUES, SUMS + from * 8);
    }
    const high = this.#ownHigh();
    this.#makeRoom(from, CARRY);
    kernels.addLargeUnits(count, scale, VALUES, SUMS + from * 8, high + from * 8);
    return kernels.sumOfSquares(count, VALUES);
  }

  /** Takes off what stands in the sum. Where it ends early, `standing` tells what is left. */
  *#takeOff(values: Values, standing: Standing): Steps<void> {
    while (standing.from < standing.to) {
      const at = standing.from;
      if (at > 0 && at % STEP_PARAMETERS === 0) yield;
      this.#addSlice(at, this.#read(values, at), -standing.counted / this.#unit);
      standing.from = at + this.#sliceLength(at);
    }
  }

  /** The largest |weight × value| that can be summed. */
  get #maxWeighted(): number {
    return MAX_WEIGHTED * (this.#unit / STEP_UNIT);
  }

  /** The kernels' divisor for the mean: they count in 2⁻³⁶, this sum in its own unit. */
  get #divisor(): number {
    return this.#weight * (STEP_UNIT / this.#unit);
  }

  #meanOfSlice(from: number): void {
    const { kernels } = this.#memory;
    const count = this.#sliceLength(from);
    const sums = SUMS + from * 8;
    if (this.#high === null) {
      this.#settle(from);
      kernels.meanOfUnits(count, this.#divisor, sums, VALUES);
    } else {
      this.#carry(from, this.#high);
      kernels.meanOfLargeUnits(count, this.#divisor, sums, this.#high + from * 8, VALUES);
    }
  }

  /** Carries a slice where adding |values| up to `units` to it could leave int64. */
  #makeRoom(from: number, units: number): void {
    const slice = from / SLICE;
    if ((this.#bounds[slice] as number) + units >= CARRY_BOUND) this.#carry(from, this.#ownHigh());
    this.#bounds[slice] = (this.#bounds[slice] as number) + units;
  }

  #carry(from: number, high: number): void {
    this.#settle(from);
    this.#memory.kernels.carry(this.#sliceLength(from), SUMS + from * 8, high + from * 8);
    this.#bounds[from / SLICE] = CARRY;
  }

  #settle(from: number): void {
    const additions = this.#additions[from / SLICE] as number;
    if (additions === 0) return;
    this.#memory.kernels.settle(this.#sliceLength(from), additions, SUMS + from * 8);
    this.#additions[from / SLICE] = 0;
  }

  #sliceLength(from: number): number {
    return Math.min(SLICE, this.#parameters - from);
  }

  #ownHigh(): number {
    if (this.#high === null) {
      this.#high = SUMS + this.#parameters * 8;
      this.#memory.reserve(this.#high + this.#parameters * 8);
    }
    return this.#high;
  }

  #requireIdle(): void {
    if (this.#underWay > 0) throw new Error('an update is being added to this sum');
    if (this.#released) throw new Error('the memory of this sum was released');
  }

  #requireRoom(updates: number): void {
    if (this.#released) throw new Error('the memory of this sum was released');
    if (this.#updates + this.#underWay + updates > MAX_UPDATES) {
      throw new CoppiceError('update-out-of-range', `One round sums at most ${MAX_UPDATES} updates.`);
    }
  }
}

/** The largest memory that is kept while no round needs it: that of a model of 8 M parameters. */
const MOST_SPARE = 2 ** 26;
let spare: KernelInstance | null = null;

/** Memory of zeros from `SUMS` on. */
function memoryFor(bytes: number, variant: Variant): KernelInstance {
  const memory = spare;
  if (memory === null || memory.variant !== variant) return kernelInstance(bytes, variant);
  spare = null;
  bytesOf(memory).fill(0, SUMS);
  memory.reserve(bytes);
  return memory;
}

function addWhole(to: Int64s, i: number, whole: number): void {
  const carried = Math.floor(whole / CARRY);
  to.add(i, carried, whole - carried * CARRY);
}

/** weight × factor, rounded down to 28 bits, so that its products with float32 values stay exact. */
function shortened(weight: number, factor: number): number {
  const product = weight * factor;
  const unit = 2 ** (Math.floor(Math.log2(product)) - 27);
  return Math.floor(product / unit) * unit;
}
