import type { KernelInstance } from '@coppice/kernels';
import type { Inputs } from '../trainer.ts';

/** Where a batch's inputs lie in the arena. It is of no use once the arena has grown. */
export class InputRoom {
  readonly #kernels: KernelInstance['kernels'];
  readonly #at: number;
  readonly #size: number;
  readonly #floats: Float32Array;
  readonly #bytes: Uint8Array;

  /**
   * @param at byte offset in the arena.
   * @param rows the most examples that a batch holds.
   * @param size numbers in one example.
   */
  constructor({ kernels, buffer }: KernelInstance, at: number, rows: number, size: number) {
    this.#kernels = kernels;
    this.#at = at;
    this.#size = size;
    this.#floats = new Float32Array(buffer, at, rows * size);
    this.#bytes = new Uint8Array(buffer, at, 4 * rows * size);
  }

  /** Copies `rows` examples that lie one after the other, the first of them example `from`. */
  fill(xs: Inputs, from: number, rows: number): void {
    const own = xs.subarray(from * this.#size, (from + rows) * this.#size);
    if (own instanceof Float32Array) {
      this.#floats.set(own);
      return;
    }
    this.#bytes.set(own, this.#bytesOf(rows));
    this.#spread(rows);
  }

  /** Copies the examples `order[from]` to `order[from + rows − 1]`. */
  gather(xs: Inputs, order: Uint32Array, from: number, rows: number): void {
    const size = this.#size;
    const bytes = xs instanceof Uint8Array;
    const to = bytes ? this.#bytes : this.#floats;
    let at = bytes ? this.#bytesOf(rows) : 0;
    for (let i = 0; i < rows; i++) {
      const row = order[from + i] as number;
      to.set(xs.subarray(row * size, (row + 1) * size), at);
      at += size;
    }
    if (bytes) this.#spread(rows);
  }

  /** Bytes are laid into the last quarter of the room that their numbers take, */
  #bytesOf(rows: number): number {
    return 3 * rows * this.#size;
  }

  /** and spread out over it. */
  #spread(rows: number): void {
    this.#kernels.fromBytes(rows * this.#size, this.#at + this.#bytesOf(rows), this.#at);
  }
}
