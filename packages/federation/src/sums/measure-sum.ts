import { CoppiceError, shapeSize, type TensorSpec } from '@coppice/protocol';
import type { Measures } from '../contributions/measures.ts';

/** A partial sum of measures, as it can be stored or sent: whole units in decimal, by tensor. */
export interface PartialMeasures {
  readonly count: number;
  readonly units: Readonly<Record<string, readonly string[]>>;
}

/**
 * Exact sums of measures, each in its tensor's unit, in whole numbers of any size. There are few of them, so they can be
 * read at any time, also while vectors are being added beside.
 *
 * @example
 * const sum = new MeasureSum([examples]);
 * sum.add(new Map([['examples', Float64Array.of(20)]]));
 * sum.totals().get('examples'); // [20]
 */
export class MeasureSum {
  readonly #tensors: readonly TensorSpec[];
  readonly #units: Map<string, bigint[]>;
  #count = 0;

  constructor(tensors: readonly TensorSpec[]) {
    this.#tensors = tensors;
    this.#units = new Map(
      tensors.map(({ name, shape }) => [name, new Array<bigint>(shapeSize(shape)).fill(0n)]),
    );
  }

  /** Contributions summed. */
  get count(): number {
    return this.#count;
  }

  /**
   * Adds one participant's measures, each rounded to its unit, ties to even.
   *
   * @throws CoppiceError `update-shape` where one of the sum's measures is missing or has another shape: counted as 0, it
   *   would say something that nobody measured. RangeError for a number that is not finite. Then nothing was added.
   */
  add(measures: Measures): void {
    this.#each(measures, 1n);
    this.#count++;
  }

  /** Takes measures off again that were added. @throws as `add`. */
  remove(measures: Measures): void {
    this.#each(measures, -1n);
    this.#count--;
  }

  /** The sums in float64, rounded once. */
  totals(): Measures {
    return new Map(
      this.#tensors.map(({ name, unit }) => [
        name,
        Float64Array.from(this.#of(name), (units) => Number(units) * unit),
      ]),
    );
  }

  partial(): PartialMeasures {
    return {
      count: this.#count,
      units: Object.fromEntries(this.#tensors.map(({ name }) => [name, this.#of(name).map(String)])),
    };
  }

  /** Adds what another sum of the same measures holds. @throws CoppiceError `update-shape` where it is of others. */
  merge(partial: PartialMeasures): void {
    const fits =
      Object.keys(partial.units).length === this.#tensors.length &&
      this.#tensors.every(({ name }) => {
        const units = partial.units[name];
        return units?.length === this.#of(name).length && units.every((one) => /^-?\d+$/.test(one));
      });
    if (!fits)
      throw new CoppiceError(
        'update-shape',
        'A partial sum of other measures cannot be merged into this one.',
      );
    for (const { name } of this.#tensors) {
      const own = this.#of(name);
      partial.units[name]?.forEach((units, i) => {
        own[i] = (own[i] as bigint) + BigInt(units);
      });
    }
    this.#count += partial.count;
  }

  #each(measures: Measures, sign: bigint): void {
    // All are rounded before any is added: a number that cannot be counted leaves nothing behind.
    const units = this.#tensors.map(({ name, unit }) => {
      const values = measures.get(name);
      if (values?.length !== this.#of(name).length)
        throw new CoppiceError(
          'update-shape',
          `Measures without "${name}" cannot be added to a sum that has it.`,
        );
      return Array.from(values, (value) => BigInt(nearestEven(value / unit)));
    });
    for (const [tensor, { name }] of this.#tensors.entries()) {
      const own = this.#of(name);
      for (const [i, one] of (units[tensor] ?? []).entries()) own[i] = (own[i] as bigint) + sign * one;
    }
  }

  #of(name: string): bigint[] {
    return this.#units.get(name) as bigint[];
  }
}

/** The nearest whole number, ties to even. */
function nearestEven(x: number): number {
  if (Math.abs(x) >= 2 ** 52) return x;
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}
