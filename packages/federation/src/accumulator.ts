import { CoppiceError } from '@coppice/protocol';
import { finish, STEP_PARAMETERS, type Steps } from './steps.ts';

/*
 * Exact sums. Floating-point addition depends on its order; updates arrive in any order. So each
 * weighted value x = examples × Δ (exact in float64: 24 + 20 bits) becomes a whole number of units,
 *
 *   T = round(x · 2³⁶), ties to even,
 *
 * and whole numbers are what is summed. float64 adds them exactly below 2⁵³: `low` holds the sum as
 * long as a bound on it says that it fits, and what would not fit is carried, in units of 2³², to
 * `high`. The total high · 2³² + low is exact, so any order, any grouping, any merge of partial sums
 * gives the same bits; when something was carried makes no difference. What is lost is decided for
 * each update alone: at most 2⁻³⁷ of x.
 */
const UNITS = 2 ** 36;
const CARRY = 2 ** 32;

/** The largest |examples × Δ| that can be summed. */
export const MAX_WEIGHTED = 2 ** 33;
/** The most updates that one accumulator takes, partial sums included: |high| stays below 2⁵³. */
export const MAX_UPDATES = 2 ** 16;

/** Adding and subtracting this rounds a float64 below 2⁵¹ to the nearest integer, ties to even. */
const ROUNDER = 1.5 * 2 ** 52;
const ROUNDER_RANGE = 2 ** 51;
/** Whole numbers up to here, and sums that stay below it, are exact in float64. */
const EXACT = 2 ** 53;

/** A partial sum, as it can be stored or sent to be merged elsewhere: (high · 2³² + low) · 2⁻³⁶. */
export interface PartialSum {
  readonly updates: number;
  readonly examples: number;
  readonly high: Float64Array;
  readonly low: Float64Array;
}

/**
 * The weighted mean of updates, summed exactly. Memory: 8 bytes a parameter, 16 where values are
 * large, however many updates.
 *
 * @example
 * const sum = new ExactAccumulator(2);
 * sum.add(new Float32Array([1, 2]), 1);
 * sum.add(new Float32Array([4, 8]), 2);
 * sum.mean(); // [3, 6]
 */
export class ExactAccumulator {
  readonly #low: Float64Array;
  /** Made when first needed: updates of ordinary size never carry. */
  #high: Float64Array | null = null;
  /** No |low| is larger than this. */
  #bound = 0;
  #updates = 0;
  #examples = 0;

  constructor(parameters: number) {
    this.#low = new Float64Array(parameters);
  }

  get updates(): number {
    return this.#updates;
  }

  /** Sum of the example counts. */
  get examples(): number {
    return this.#examples;
  }

  /**
   * Adds one update, `values` of the model's length, weighted by `examples` (≥ 1).
   *
   * @throws CoppiceError `update-shape`, `update-examples`, `update-not-finite` or
   *   `update-out-of-range`; then nothing was added.
   */
  add(values: Float32Array, examples: number): void {
    this.#requireRoom(1);
    const largest = checkValues(values, this.#low.length, examples);
    // A power of two times a whole number: one exact multiplication a value.
    const scale = examples * UNITS;
    const units = largest * scale;
    if (units < ROUNDER_RANGE) {
      this.#makeRoom(units + 1);
      addUnits(this.#low, values, scale);
    } else {
      this.#makeRoom(CARRY);
      addLargeUnits(this.#low, this.#ownHigh(), values, scale);
    }
    this.#updates += 1;
    this.#examples += examples;
  }

  /**
   * All that `add` checks, a piece of the model at a time; nothing is changed.
   *
   * @returns the largest |value|, for `addInSteps`.
   * @throws CoppiceError as `add`.
   */
  *checkInSteps(values: Float32Array, examples: number): Steps<number> {
    this.#requireRoom(1);
    let largest = 0;
    for (let at = 0; at < values.length; at += STEP_PARAMETERS) {
      if (at > 0) yield;
      const piece = largestMagnitude(values.subarray(at, at + STEP_PARAMETERS));
      // What is not finite is seen by the next look at all of it, which says where it is.
      if (!(piece <= largest)) largest = piece;
      if (!Number.isFinite(piece)) break;
    }
    const fits = values.length === this.#low.length && Number.isInteger(examples) && examples >= 1;
    return fits && largest * examples <= MAX_WEIGHTED
      ? largest
      : checkValues(values, this.#low.length, examples);
  }

  /**
   * As `add`, for values that `checkInSteps` let pass, a piece of the model at a time. The update counts from
   * the call on; the steps must all be done before the sum is asked for.
   *
   * @param largest what `checkInSteps` gave.
   * @throws CoppiceError `update-out-of-range` where no more updates are taken; then nothing was added.
   */
  addInSteps(values: Float32Array, examples: number, largest: number): Steps<void> {
    this.#requireRoom(1);
    const scale = examples * UNITS;
    const large = largest * scale >= ROUNDER_RANGE;
    this.#makeRoom(large ? CARRY : largest * scale + 1);
    this.#updates += 1;
    this.#examples += examples;
    return addPieces(this.#low, large ? this.#ownHigh() : null, values, scale);
  }

  /** Adds what another accumulator has summed. Exact, like everything here. */
  merge(partial: PartialSum): void {
    const { high, low } = partial;
    if (high.length !== this.#low.length || low.length !== this.#low.length) {
      throw new CoppiceError(
        'update-shape',
        'A partial sum of another model cannot be merged into this one.',
      );
    }
    this.#requireRoom(partial.updates);
    this.#makeRoom(low.reduce((most, value) => Math.max(most, Math.abs(value)), 0));
    const ownHigh = this.#ownHigh();
    for (let i = 0; i < low.length; i++) {
      ownHigh[i] = (ownHigh[i] as number) + (high[i] as number);
      this.#low[i] = (this.#low[i] as number) + (low[i] as number);
    }
    this.#updates += partial.updates;
    this.#examples += partial.examples;
  }

  partial(): PartialSum {
    return {
      updates: this.#updates,
      examples: this.#examples,
      high: this.#high?.slice() ?? new Float64Array(this.#low.length),
      low: this.#low.slice(),
    };
  }

  /** Σ examples × Δ ÷ Σ examples, in float64, rounded twice: once in the sum, once in the quotient. */
  mean(): Float64Array {
    return finish(this.meanInSteps());
  }

  /** As `mean`, a piece of the model at a time; nothing may be added until it is done. */
  *meanInSteps(): Steps<Float64Array> {
    if (this.#examples === 0) throw new RangeError('the mean of no updates is not defined');
    const mean = new Float64Array(this.#low.length);
    for (let from = 0; from < mean.length; from += STEP_PARAMETERS) {
      if (from > 0) yield;
      meanOf(
        mean,
        this.#low,
        this.#high,
        this.#examples,
        from,
        Math.min(mean.length, from + STEP_PARAMETERS),
      );
    }
    return mean;
  }

  /** Carries what is in `low` where adding |values| up to `units` to it could leave the exact range. */
  #makeRoom(units: number): void {
    if (this.#bound + units >= EXACT) {
      const high = this.#ownHigh();
      const low = this.#low;
      for (let i = 0; i < low.length; i++) {
        const carried = Math.round((low[i] as number) / CARRY);
        high[i] = (high[i] as number) + carried;
        low[i] = (low[i] as number) - carried * CARRY;
      }
      this.#bound = CARRY / 2;
    }
    this.#bound += units;
  }

  #ownHigh(): Float64Array {
    this.#high ??= new Float64Array(this.#low.length);
    return this.#high;
  }

  #requireRoom(updates: number): void {
    if (this.#updates + updates > MAX_UPDATES) {
      throw new CoppiceError('update-out-of-range', `One round sums at most ${MAX_UPDATES} updates.`);
    }
  }
}

/** The hot loop: a function of its own, so that the engine compiles it once and well. */
function addUnits(low: Float64Array, values: Float32Array, scale: number): void {
  const parameters = values.length;
  for (let i = 0; i < parameters; i++) {
    const x = (values[i] as number) * scale;
    low[i] = (low[i] as number) + (x + ROUNDER - ROUNDER);
  }
}

/** The same for values too large for the rounding trick; above 2⁵³ units a float64 is whole by itself. */
function addLargeUnits(low: Float64Array, high: Float64Array, values: Float32Array, scale: number): void {
  for (let i = 0; i < values.length; i++) {
    const x = (values[i] as number) * scale;
    const units = Math.abs(x) < ROUNDER_RANGE ? x + ROUNDER - ROUNDER : Math.round(x);
    const carried = Math.round(units / CARRY);
    high[i] = (high[i] as number) + carried;
    low[i] = (low[i] as number) + (units - carried * CARRY);
  }
}

function* addPieces(
  low: Float64Array,
  high: Float64Array | null,
  values: Float32Array,
  scale: number,
): Steps<void> {
  for (let from = 0; from < values.length; from += STEP_PARAMETERS) {
    if (from > 0) yield;
    const to = from + STEP_PARAMETERS;
    const piece = values.subarray(from, to);
    if (high === null) addUnits(low.subarray(from, to), piece, scale);
    else addLargeUnits(low.subarray(from, to), high.subarray(from, to), piece, scale);
  }
}

function meanOf(
  mean: Float64Array,
  low: Float64Array,
  high: Float64Array | null,
  examples: number,
  from: number,
  to: number,
): void {
  for (let i = from; i < to; i++) {
    // high · 2³² is exact, so this one addition rounds the exact total, however it is split.
    const total = high === null ? (low[i] as number) : (high[i] as number) * CARRY + (low[i] as number);
    mean[i] = total / UNITS / examples;
  }
}

/**
 * Checks an update without adding it.
 *
 * @returns the largest |value|.
 * @throws CoppiceError `update-shape`, `update-examples`, `update-not-finite`, `update-out-of-range`.
 */
export function checkValues(values: Float32Array, parameters: number, examples: number): number {
  if (values.length !== parameters) {
    throw new CoppiceError(
      'update-shape',
      `The update has ${values.length} parameters, the model ${parameters}.`,
    );
  }
  if (!Number.isInteger(examples) || examples < 1) {
    throw new CoppiceError(
      'update-examples',
      `An update needs a whole number of examples from 1, not ${examples}.`,
    );
  }
  const largest = largestMagnitude(values);
  if (!Number.isFinite(largest)) {
    const at = values.findIndex((value) => !Number.isFinite(value));
    throw new CoppiceError(
      'update-not-finite',
      `The update holds ${values[at]} at parameter ${at}. The training has diverged: a smaller learning rate may help.`,
    );
  }
  if (largest * examples > MAX_WEIGHTED) {
    throw new CoppiceError(
      'update-out-of-range',
      `The update changes a parameter by ${largest.toPrecision(3)} with a weight of ${examples} examples, more than can be summed. The training has diverged: a smaller learning rate may help.`,
    );
  }
  return largest;
}

const asBits = new Int32Array(1);
const asFloat = new Float32Array(asBits.buffer);

/** The largest |value|; infinite or NaN where any value is. */
function largestMagnitude(values: Float32Array): number {
  asBits[0] = largestBits(new Int32Array(values.buffer, values.byteOffset, values.length));
  return asFloat[0] as number;
}

/**
 * Read as an integer and without its sign bit, a float32 orders like its magnitude, and everything
 * that is not finite comes after everything that is. Nothing but the loop is in here: what follows a
 * loop that the engine compiled while it ran is compiled without knowing its types, and thrown away.
 */
function largestBits(bits: Int32Array): number {
  const parameters = bits.length;
  let largest = 0;
  for (let i = 0; i < parameters; i++) {
    const magnitude = (bits[i] as number) & 0x7fffffff;
    if (magnitude > largest) largest = magnitude;
  }
  return largest;
}
