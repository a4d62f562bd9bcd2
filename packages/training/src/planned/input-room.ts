import type { KernelInstance } from '@coppice/kernels';
import type { Inputs } from '../trainer.ts';

/** The block of the arena that holds a batch's inputs. Invalid once the arena has grown. */
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

  /** Copies `rows` consecutive examples, starting at example `from`. */
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

  /** The bytes to spread: the last quarter of the block that their numbers take. */
  #bytesOf(rows: number): number {
    return 3 * rows * this.#size;
  }

  /** Converts the bytes to numbers over the whole block. */
  #spread(rows: number): void {
    this.#kernels.fromBytes(rows * this.#size, this.#at + this.#bytesOf(rows), this.#at);
  }
}
