import * as z from 'zod/mini';
import type { Detector } from './detector.ts';

export interface AdwinOptions {
  /** The confidence: smaller values raise fewer alarms. Default: 0.002. */
  readonly delta?: number;
  /** Values between two looks for a cut. Default: 32. */
  readonly clock?: number;
  /** The most buckets of one size. Default: 5. */
  readonly maxBuckets?: number;
  /** The fewest values on either side of a cut. Default: 5. */
  readonly minWindowLength?: number;
  /** Values in the window without which no cut is looked for. Default: 10. */
  readonly gracePeriod?: number;
}

/** Values that are kept as one: their number follows from the row. `squares`: the sum of squared deviations from their mean. */
const BucketSchema = z.object({ total: z.number(), squares: z.number() });
type Bucket = z.infer<typeof BucketSchema>;

/** Rows of buckets: 2^i values each in row i, so that 60 rows hold more values than can be counted. */
export const AdwinStateSchema = z.object({
  version: z.literal(1),
  /** Row i has buckets of 2^i values, the oldest first. */
  rows: z.array(z.array(BucketSchema).check(z.maxLength(100))).check(z.maxLength(60)),
  ticks: z.int().check(z.minimum(0)),
  width: z.int().check(z.minimum(0)),
  total: z.number(),
  squares: z.number(),
  alarmed: z.boolean(),
});
export type AdwinState = z.infer<typeof AdwinStateSchema>;

/**
 * ADWIN2 (Bifet and Gavaldà, SDM 2007), as River has it: a window that grows while its mean stays the same, and drops its
 * older part once two parts differ. Memory: O(maxBuckets · log width).
 */
export class Adwin implements Detector<AdwinState> {
  readonly #o: Required<AdwinOptions>;
  #rows: Bucket[][] = [];
  #ticks = 0;
  #width = 0;
  #total = 0;
  #squares = 0;
  #alarmed = false;

  constructor(options: AdwinOptions = {}, state?: AdwinState) {
    this.#o = { delta: 0.002, clock: 32, maxBuckets: 5, minWindowLength: 5, gracePeriod: 10, ...options };
    if (state === undefined) return;
    this.#rows = state.rows.map((row) => [...row]);
    this.#ticks = state.ticks;
    this.#width = state.width;
    this.#total = state.total;
    this.#squares = state.squares;
    this.#alarmed = state.alarmed;
  }

  /** Values in the window. */
  get width(): number {
    return this.#width;
  }

  /** The sum of the values in the window. */
  get total(): number {
    return this.#total;
  }

  /** The mean of the values in the window; 0 where it is empty. */
  get mean(): number {
    return this.#width === 0 ? 0 : this.#total / this.#width;
  }

  /** The sum of squared deviations of the window's values from their mean. */
  get squares(): number {
    return this.#squares;
  }

  update(value: number): boolean {
    if (!Number.isFinite(value)) throw new RangeError(`a detector takes finite numbers, not ${value}`);
    if (this.#alarmed) this.#reset();
    this.#ticks++;
    this.#insert(value);
    this.#alarmed = this.#ticks % this.#o.clock === 0 && this.#width > this.#o.gracePeriod && this.#shrink();
    return this.#alarmed;
  }

  state(): AdwinState {
    return {
      version: 1,
      rows: this.#rows.map((row) => [...row]),
      ticks: this.#ticks,
      width: this.#width,
      total: this.#total,
      squares: this.#squares,
      alarmed: this.#alarmed,
    };
  }

  #reset(): void {
    this.#rows = [];
    this.#ticks = 0;
    this.#width = 0;
    this.#total = 0;
    this.#squares = 0;
  }

  #insert(value: number): void {
    this.#width++;
    if (this.#width > 1) {
      const before = this.#total / (this.#width - 1);
      this.#squares += ((this.#width - 1) * (value - before) ** 2) / this.#width;
    }
    this.#total += value;
    this.#row(0).push({ total: value, squares: 0 });
    this.#compress();
  }

  /** Merges the two oldest buckets of each row that has too many into one of the next row. */
  #compress(): void {
    for (let i = 0; this.#row(i).length > this.#o.maxBuckets; i++) {
      const [a, b] = this.#row(i).splice(0, 2) as [Bucket, Bucket];
      const size = 2 ** i;
      const apart = (a.total - b.total) / size;
      const squares = a.squares + b.squares + (size * apart ** 2) / 2;
      this.#row(i + 1).push({ total: a.total + b.total, squares });
    }
  }

  /** Drops the oldest bucket as long as two parts of the window differ. @returns whether they did. */
  #shrink(): boolean {
    let differed = false;
    while (this.#hasCut()) {
      differed = true;
      this.#dropOldest();
    }
    return differed;
  }

  #hasCut(): boolean {
    let n0 = 0;
    let total0 = 0;
    for (let i = this.#rows.length - 1; i >= 0; i--) {
      for (const { total } of this.#row(i)) {
        n0 += 2 ** i;
        total0 += total;
        const n1 = this.#width - n0;
        if (n1 > 0 && this.#differ(n0, total0 / n0, n1, (this.#total - total0) / n1)) return true;
      }
    }
    return false;
  }

  #differ(n0: number, mean0: number, n1: number, mean1: number): boolean {
    const { minWindowLength, delta } = this.#o;
    if (n0 < minWindowLength || n1 < minWindowLength) return false;
    const confidence = Math.log((2 * Math.log(this.#width)) / delta);
    const m = 1 / (n0 - minWindowLength + 1) + 1 / (n1 - minWindowLength + 1);
    // Dropping buckets can leave a constant window a hair below zero.
    const variance = Math.max(0, this.#squares) / this.#width;
    const bound = Math.sqrt(2 * m * variance * confidence) + (2 / 3) * confidence * m;
    return Math.abs(mean0 - mean1) > bound;
  }

  #dropOldest(): void {
    const i = this.#rows.findLastIndex((row) => row.length > 0);
    const { total, squares } = this.#row(i).shift() as Bucket;
    const size = 2 ** i;
    this.#width -= size;
    this.#total -= total;
    const apart = total / size - this.#total / this.#width;
    this.#squares -= squares + (size * this.#width * apart ** 2) / (size + this.#width);
  }

  #row(i: number): Bucket[] {
    const row = this.#rows[i] ?? [];
    this.#rows[i] = row;
    return row;
  }
}
