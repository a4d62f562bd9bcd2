import type { KernelInstance } from '@coppice/kernels';
import type { Inputs } from '../trainer.ts';

/** The block of the arena that holds a batch's inputs. Invalid once the arena has grown. */
export class InputRoom {
  readonly #kernels: KernelInstance['kernels'];
  readonly #at: number;
  readonly #size: number;
  readonly #floats: Float32Array;
  readonly #bytes: Uint8Array;
  /** The number for each byte; null where it is byte / 255, which a kernel computes. */
  readonly #shades: Float32Array | null;

  /**
   * @param at byte offset in the arena.
   * @param rows the most examples that a batch holds.
   * @param size numbers in one example.
   * @param shades the number for each byte of a picture.
   */
  constructor(
    { kernels, buffer }: KernelInstance,
    at: number,
    rows: number,
    size: number,
    shades: Float32Array,
  ) {
    this.#kernels = kernels;
    this.#at = at;
    this.#size = size;
    this.#floats = new Float32Array(buffer, at, rows * size);
    this.#bytes = new Uint8Array(buffer, at, 4 * rows * size);
    this.#shades = shades[0] === 0 && shades[255] === 1 ? null : shades;
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
    const count = rows * this.#size;
    const from = this.#bytesOf(rows);
    const shades = this.#shades;
    if (shades === null) {
      this.#kernels.fromBytes(count, this.#at + from, this.#at);
      return;
    }
    // From the first on: number i ends before byte i, or is written after it was read.
    for (let i = 0; i < count; i++) this.#floats[i] = shades[this.#bytes[from + i] as number] as number;
  }
}
