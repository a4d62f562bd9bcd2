const CARRY = 2 ** 32;

/** A view of int64 numbers as halves: JavaScript's own, BigInt64Array, is a hundred times slower. */
export class Int64s {
  readonly #low: Uint32Array;
  readonly #high: Int32Array;

  /** @param at a byte offset, a multiple of eight. */
  constructor(buffer: ArrayBuffer, at: number, n: number) {
    this.#low = new Uint32Array(buffer, at, 2 * n);
    this.#high = new Int32Array(buffer, at, 2 * n);
  }

  /** Reads a number, rounded once, ties to even, where float64 cannot hold it. */
  get(i: number): number {
    return this.high(i) * CARRY + this.low(i);
  }

  low(i: number): number {
    return this.#low[2 * i] as number;
  }

  high(i: number): number {
    return this.#high[2 * i + 1] as number;
  }

  set(i: number, high: number, low: number): void {
    this.#low[2 * i] = low;
    this.#high[2 * i + 1] = high;
  }

  /** Adds the whole number high · 2³² + low, 0 ≤ low < 2³²; wraps as int64 does. */
  add(i: number, high: number, low: number): void {
    const sum = this.low(i) + low;
    this.#low[2 * i] = sum;
    this.#high[2 * i + 1] = this.high(i) + high + (sum >= CARRY ? 1 : 0);
  }
}
