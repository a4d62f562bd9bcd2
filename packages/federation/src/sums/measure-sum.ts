import { CoppiceError, shapeSize, type TensorSpec } from '@coppice/protocol';
import type { Measures } from '../contributions/measures.ts';

/** A partial sum of measures, as it can be stored or sent: whole units in decimal, by tensor. */
export interface PartialMeasures {
  readonly count: number;
  readonly units: Readonly<Record<string, readonly string[]>>;
}

/** Units of one tensor, exactly: `large` + `small`, of which `small` takes what is added as long as float64 holds it. */
interface Units {
  readonly small: Float64Array;
  readonly large: bigint[];
  /** Those of the measures that are being added. */
  readonly rounded: Float64Array;
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
  readonly #units: Map<string, Units>;
  #count = 0;

  constructor(tensors: readonly TensorSpec[]) {
    this.#tensors = tensors;
    this.#units = new Map(
      tensors.map(({ name, shape }) => {
        const size = shapeSize(shape);
        const large = new Array<bigint>(size).fill(0n);
        return [name, { small: new Float64Array(size), large, rounded: new Float64Array(size) }];
      }),
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
    this.#each(measures, 1);
    this.#count++;
  }

  /** Takes measures off again that were added. @throws as `add`. */
  remove(measures: Measures): void {
    this.#each(measures, -1);
    this.#count--;
  }

  /** The sums in float64, rounded once. */
  totals(): Measures {
    return new Map(
      this.#tensors.map(({ name, unit }) => [
        name,
        this.#of(name).small.map((_, i) => Number(this.#whole(name, i)) * unit),
      ]),
    );
  }

  partial(): PartialMeasures {
    return {
      count: this.#count,
      units: Object.fromEntries(this.#tensors.map(({ name }) => [name, this.#strings(name)])),
    };
  }

  /** Adds what another sum of the same measures holds. @throws CoppiceError `update-shape` where it is of others. */
  merge(partial: PartialMeasures): void {
    const fits =
      Object.keys(partial.units).length === this.#tensors.length &&
      this.#tensors.every(({ name }) => {
        const units = partial.units[name];
        return units?.length === this.#of(name).small.length && units.every((one) => /^-?\d+$/.test(one));
      });
    if (!fits)
      throw new CoppiceError(
        'update-shape',
        'A partial sum of other measures cannot be merged into this one.',
      );
    for (const { name } of this.#tensors) {
      const { large } = this.#of(name);
      partial.units[name]?.forEach((units, i) => {
        large[i] = (large[i] as bigint) + BigInt(units);
      });
    }
    this.#count += partial.count;
  }

  #each(measures: Measures, sign: 1 | -1): void {
    // All are rounded before any is added: a number that cannot be counted leaves nothing behind.
    for (const { name, unit } of this.#tensors) {
      const { rounded } = this.#of(name);
      const values = measures.get(name);
      if (values?.length !== rounded.length)
        throw new CoppiceError(
          'update-shape',
          `Measures without "${name}" cannot be added to a sum that has it.`,
        );
      for (let i = 0; i < rounded.length; i++) {
        const units = nearestEven((values[i] as number) / unit);
        if (!Number.isFinite(units)) throw new RangeError(`a measure is a finite number, not ${values[i]}`);
        rounded[i] = sign * units;
      }
    }
    for (const { name } of this.#tensors) addTo(this.#of(name));
  }

  #whole(name: string, i: number): bigint {
    const { small, large } = this.#of(name);
    return (large[i] as bigint) + BigInt(small[i] as number);
  }

  #strings(name: string): string[] {
    return this.#of(name).large.map((_, i) => String(this.#whole(name, i)));
  }

  #of(name: string): Units {
    return this.#units.get(name) as Units;
  }
}

/**
 * Adds the rounded units. A sum of two whole numbers that comes out within 2⁵³ was not rounded; all others are added as
 * whole numbers of any size.
 */
function addTo({ small, large, rounded }: Units): void {
  for (let i = 0; i < rounded.length; i++) {
    const [before, more] = [small[i] as number, rounded[i] as number];
    const sum = before + more;
    if (sum >= Number.MIN_SAFE_INTEGER && sum <= Number.MAX_SAFE_INTEGER) small[i] = sum;
    else {
      large[i] = (large[i] as bigint) + BigInt(before) + BigInt(more);
      small[i] = 0;
    }
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
