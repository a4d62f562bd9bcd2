import { CoppiceError } from '@coppice/protocol';

/*
 * Exact sums. Floating-point addition depends on its order; updates arrive in any order. So each
 * weighted value x = examples × Δ (exact in float64: 24 + 20 bits) is split into two integers,
 *
 *   high = round(x · 2⁴)            and   low = round((x − high · 2⁻⁴) · 2⁴²),
 *
 * each below 2³⁷ in magnitude for |x| ≤ 2³³, and integers are what is summed: in float64, where sums
 * of up to 2¹⁶ of them stay below 2⁵³ and are exact. Any order, any grouping, any merge of partial
 * sums gives the same bits. What is lost is decided for each update alone: at most 2⁻⁴³ of x.
 */
const HIGH_BITS = 4;
const LOW_BITS = 42;
const HIGH_SCALE = 2 ** HIGH_BITS;
const LOW_SCALE = 2 ** LOW_BITS;

/** The largest |examples × Δ| that can be summed. */
export const MAX_WEIGHTED = 2 ** 33;
/** The most updates that one accumulator takes, partial sums included. */
export const MAX_UPDATES = 2 ** 16;

/** Adding and subtracting this rounds a float64 below 2⁵¹ to the nearest integer, ties to even. */
const ROUNDER = 1.5 * 2 ** 52;

/** A partial sum, as it can be stored or sent to be merged elsewhere. */
export interface PartialSum {
  readonly updates: number;
  readonly examples: number;
  readonly high: Float64Array;
  readonly low: Float64Array;
}

/**
 * The weighted mean of updates, summed exactly. Memory: 16 bytes a parameter, however many updates.
 *
 * @example
 * const sum = new ExactAccumulator(2);
 * sum.add(new Float32Array([1, 2]), 1);
 * sum.add(new Float32Array([4, 8]), 2);
 * sum.mean(); // [3, 6]
 */
export class ExactAccumulator {
  readonly #high: Float64Array;
  readonly #low: Float64Array;
  #updates = 0;
  #examples = 0;

  constructor(parameters: number) {
    this.#high = new Float64Array(parameters);
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
   * @throws CoppiceError `update-shape`, `update-not-finite` or `update-out-of-range`; then nothing
   *   was added.
   */
  add(values: Float32Array, examples: number): void {
    this.#requireRoom(1);
    checkValues(values, this.#high.length, examples);
    const high = this.#high;
    const low = this.#low;
    for (let i = 0; i < values.length; i++) {
      const x = (values[i] as number) * examples;
      const h = x * HIGH_SCALE + ROUNDER - ROUNDER;
      high[i] = (high[i] as number) + h;
      low[i] = (low[i] as number) + ((x - h / HIGH_SCALE) * LOW_SCALE + ROUNDER - ROUNDER);
    }
    this.#updates += 1;
    this.#examples += examples;
  }

  /** Adds what another accumulator has summed. Exact, like everything here. */
  merge(partial: PartialSum): void {
    if (partial.high.length !== this.#high.length || partial.low.length !== this.#low.length) {
      throw new CoppiceError(
        'update-shape',
        'A partial sum of another model cannot be merged into this one.',
      );
    }
    this.#requireRoom(partial.updates);
    for (let i = 0; i < this.#high.length; i++) {
      this.#high[i] = (this.#high[i] as number) + (partial.high[i] as number);
      this.#low[i] = (this.#low[i] as number) + (partial.low[i] as number);
    }
    this.#updates += partial.updates;
    this.#examples += partial.examples;
  }

  partial(): PartialSum {
    return {
      updates: this.#updates,
      examples: this.#examples,
      high: this.#high.slice(),
      low: this.#low.slice(),
    };
  }

  /** Σ examples × Δ ÷ Σ examples, in float64, rounded twice: once in the sum, once in the quotient. */
  mean(): Float64Array {
    if (this.#examples === 0) throw new RangeError('the mean of no updates is not defined');
    const mean = new Float64Array(this.#high.length);
    for (let i = 0; i < mean.length; i++) {
      mean[i] =
        ((this.#high[i] as number) / HIGH_SCALE + (this.#low[i] as number) / LOW_SCALE) / this.#examples;
    }
    return mean;
  }

  #requireRoom(updates: number): void {
    if (this.#updates + updates > MAX_UPDATES) {
      throw new CoppiceError('update-out-of-range', `One round sums at most ${MAX_UPDATES} updates.`);
    }
  }
}

/**
 * Checks an update without adding it.
 *
 * @throws CoppiceError `update-shape`, `update-examples`, `update-not-finite`, `update-out-of-range`.
 */
export function checkValues(values: Float32Array, parameters: number, examples: number): void {
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
  let largest = 0;
  for (let i = 0; i < values.length; i++) {
    const magnitude = Math.abs(values[i] as number);
    // Written so that NaN, for which every comparison is false, is caught too.
    if (!(magnitude <= largest)) {
      if (!Number.isFinite(magnitude)) {
        throw new CoppiceError(
          'update-not-finite',
          `The update holds ${values[i]} at parameter ${i}. The training has diverged: a smaller learning rate may help.`,
        );
      }
      largest = magnitude;
    }
  }
  if (largest * examples > MAX_WEIGHTED) {
    throw new CoppiceError(
      'update-out-of-range',
      `The update changes a parameter by ${largest.toPrecision(3)} with a weight of ${examples} examples, more than can be summed. The training has diverged: a smaller learning rate may help.`,
    );
  }
}
