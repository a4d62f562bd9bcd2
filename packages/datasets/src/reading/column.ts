import type { NumberFormat } from './choices.ts';
import { mayBeNumber, readNumber, readNumberText, readPlainNumber } from './number-format.ts';

/** Rows of a block. */
const BLOCK = 2048;
/** The most different cells that a column keeps by their text. Further numbers are kept by their value alone. */
const KEPT = 4096;
/** The longest text that is kept of a cell, in UTF-16 code units. */
const MAX_CELL = 10_000;

/** The code of an empty cell, and of a number that is kept by its value. */
const EMPTY = -1;
const BY_VALUE = -2;

type Packed = Uint8Array | Int16Array | Int32Array | Float32Array | Float64Array;

interface Block {
  readonly count: number;
  /** Codes plus 2, or `null` where all cells are kept by their value. */
  readonly codes: Uint8Array | Uint16Array | Int32Array | null;
  /** The numbers that are kept by value, NaN elsewhere; `null` where there are none. */
  readonly numbers: Packed | null;
}

/**
 * A column of a file in blocks. A cell is kept by the code of its text in the column's dictionary, as is every cell that is no
 * number, or by its value as a double. What a block holds is packed into the smallest typed array that keeps it exactly.
 */
export class ColumnBlocks {
  readonly format: NumberFormat;
  readonly #blocks: Block[] = [];
  #codes = new Int32Array(16);
  #numbers = new Float64Array(16);
  #pending = 0;
  #pendingNumbers = false;
  /** The text of each code, its number or NaN, and how many cells have it. */
  readonly texts: string[] = [];
  readonly values: number[] = [];
  readonly counts: number[] = [];
  #slots = new Int32Array(32).fill(-1);
  /** The codes of the whole numbers below a thousand, -1 where they did not come yet. */
  readonly #small = new Int16Array(1000).fill(-1);
  empty = 0;
  /** Cells kept by value. */
  numbers = 0;
  readonly #decimal: number;

  constructor(format: NumberFormat) {
    this.format = format;
    this.#decimal = format.decimal.charCodeAt(0);
  }

  /** Adds the cell from `start` to `end` of `text`. */
  add(text: string, start: number, end: number): void {
    if (start >= end) {
      this.empty++;
      this.#put(EMPTY, Number.NaN);
      return;
    }
    if (this.texts.length < KEPT) {
      const small = smallWhole(text, start, end);
      if (small < 0) this.#put(this.#intern(text, start, end), Number.NaN);
      else {
        let code = this.#small[small] as number;
        if (code < 0) code = this.#small[small] = this.#intern(text, start, end);
        else (this.counts[code] as number)++;
        this.#put(code, Number.NaN);
      }
      return;
    }
    const value = readPlainNumber(text, start, end, this.#decimal);
    if (!Number.isNaN(value) && !leadsWithZero(text, start, end)) {
      this.numbers++;
      this.#put(BY_VALUE, value);
      return;
    }
    const cell = text.slice(start, end);
    const slow = isLongWhole(cell) || !mayBeNumber(cell) ? Number.NaN : readNumberText(cell, this.format);
    if (Number.isNaN(slow) || leadsWithZero(text, start, end)) {
      this.#put(this.#intern(text, start, end), Number.NaN);
      return;
    }
    this.numbers++;
    this.#put(BY_VALUE, slow);
  }

  /** Adds a value that has a type: a number, a boolean, a date, a text, or anything else as JSON. */
  addValue(value: unknown): void {
    if (typeof value === 'number' && this.texts.length >= KEPT && Number.isFinite(value)) {
      this.numbers++;
      this.#put(BY_VALUE, value);
      return;
    }
    const text = textOf(value);
    if (text === '') {
      this.empty++;
      this.#put(EMPTY, Number.NaN);
    } else this.#put(this.#intern(text, 0, text.length), Number.NaN);
  }

  /** Ends the last block. No cells can be added behind it. */
  finish(): void {
    if (this.#pending > 0) this.#blocks.push(this.#pack());
    this.#pending = 0;
    this.#codes = new Int32Array(0);
    this.#numbers = new Float64Array(0);
    this.#slots = new Int32Array(0);
  }

  /**
   * Calls `each` for the cells of `count` rows from `from` on, which lie in one block: with their code, and with their number
   * where the code is -2. Empty cells have the code -1.
   */
  forEach(from: number, count: number, each: (row: number, code: number, value: number) => void): void {
    const { codes, numbers } = this.#blocks[Math.floor(from / BLOCK)] as Block;
    const first = from % BLOCK;
    for (let i = 0; i < count; i++) {
      const code = codes === null ? BY_VALUE : (codes[first + i] as number) - 2;
      each(from + i, code, code === BY_VALUE ? (numbers?.[first + i] as number) : Number.NaN);
    }
  }

  codeAt(row: number): number {
    const codes = this.#blocks[Math.floor(row / BLOCK)]?.codes;
    if (codes === undefined) return EMPTY;
    return codes === null ? BY_VALUE : (codes[row % BLOCK] as number) - 2;
  }

  valueAt(row: number): number {
    const code = this.codeAt(row);
    if (code === EMPTY) return Number.NaN;
    if (code >= 0) return this.values[code] as number;
    return this.#blocks[Math.floor(row / BLOCK)]?.numbers?.[row % BLOCK] as number;
  }

  /** The text of a cell: as in the file, or the shortest text of its number where it is kept by value. */
  textAt(row: number): string {
    const code = this.codeAt(row);
    if (code === EMPTY) return '';
    return code >= 0 ? (this.texts[code] as string) : String(this.valueAt(row));
  }

  /** True where float32 holds every number that is kept by its value exactly. */
  get singleNumbers(): boolean {
    return this.#blocks.every(
      ({ numbers }) =>
        !(numbers instanceof Float64Array) &&
        (!(numbers instanceof Int32Array) || numbers.every((value) => Math.fround(value) === value)),
    );
  }

  /** Bytes of all blocks. */
  get bytes(): number {
    return this.#blocks.reduce(
      (sum, { codes, numbers }) => sum + (codes?.byteLength ?? 0) + (numbers?.byteLength ?? 0),
      0,
    );
  }

  #put(code: number, value: number): void {
    if (this.#pending === this.#codes.length) {
      const size = Math.min(BLOCK, this.#codes.length * 4);
      this.#codes = grown(this.#codes, new Int32Array(size));
      this.#numbers = grown(this.#numbers, new Float64Array(size).fill(Number.NaN));
    }
    this.#codes[this.#pending] = code;
    if (code === BY_VALUE) {
      if (!this.#pendingNumbers) this.#numbers.fill(Number.NaN);
      this.#pendingNumbers = true;
      this.#numbers[this.#pending] = value;
    }
    if (++this.#pending === BLOCK) {
      this.#blocks.push(this.#pack());
      this.#pending = 0;
      this.#pendingNumbers = false;
    }
  }

  #pack(): Block {
    const count = this.#pending;
    const codes = this.#codes.subarray(0, count);
    const numbers = this.#pendingNumbers ? packedNumbers(this.#numbers.subarray(0, count)) : null;
    if (codes.every((code) => code === BY_VALUE)) return { count, codes: null, numbers };
    const most = this.texts.length + 1;
    const Packing = most < 256 ? Uint8Array : most < 65_536 ? Uint16Array : Int32Array;
    const packed = new Packing(count);
    for (let i = 0; i < count; i++) packed[i] = (codes[i] as number) + 2;
    return { count, codes: packed, numbers };
  }

  /** The code of a text, a new one where the column has none like it yet. */
  #intern(text: string, start: number, end: number): number {
    const stop = Math.min(end, start + MAX_CELL);
    let hash = stop - start;
    for (let at = start; at < stop; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
    hash ^= hash >>> 15;
    const mask = this.#slots.length - 1;
    let slot = hash & mask;
    for (;;) {
      const code = this.#slots[slot] as number;
      if (code < 0) break;
      if (sameText(this.texts[code] as string, text, start, stop)) {
        (this.counts[code] as number)++;
        return code;
      }
      slot = (slot + 1) & mask;
    }
    const kept = copyOf(text, start, stop);
    const code = this.texts.push(kept) - 1;
    this.values.push(readNumber(kept, this.format));
    this.counts.push(1);
    this.#slots[slot] = code;
    if (this.texts.length * 2 > this.#slots.length) this.#rehash();
    return code;
  }

  #rehash(): void {
    const mask = this.#slots.length * 4 - 1;
    const slots = new Int32Array(mask + 1).fill(-1);
    for (const [code, text] of this.texts.entries()) {
      let hash = text.length;
      for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
      hash ^= hash >>> 15;
      let slot = hash & mask;
      while ((slots[slot] as number) >= 0) slot = (slot + 1) & mask;
      slots[slot] = code;
    }
    this.#slots = slots;
  }
}

function grown<A extends Int32Array | Float64Array>(from: A, to: A): A {
  to.set(from);
  return to;
}

function sameText(known: string, text: string, start: number, end: number): boolean {
  if (known.length !== end - start) return false;
  for (let i = 0; i < known.length; i++) {
    if (known.charCodeAt(i) !== text.charCodeAt(start + i)) return false;
  }
  return true;
}

/** A text of its own: engines keep the whole string that a long part was cut from. */
function copyOf(text: string, start: number, end: number): string {
  if (end - start <= 12) return text.slice(start, end);
  const codes = new Array<number>(end - start);
  for (let i = 0; i < codes.length; i++) codes[i] = text.charCodeAt(start + i);
  return String.fromCharCode(...codes);
}

/** The whole number of up to three digits that the text is, written without leading zeros; -1 for any other text. */
function smallWhole(text: string, start: number, end: number): number {
  const length = end - start;
  if (length > 3) return -1;
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return length > 1 && value < (length === 2 ? 10 : 100) ? -1 : value;
}

/** True for whole numbers such as 007: codes, whose zeros count. */
function leadsWithZero(text: string, start: number, end: number): boolean {
  if (text.charCodeAt(start) !== 48 || end - start < 2) return false;
  const next = text.charCodeAt(start + 1);
  return next >= 48 && next <= 57;
}

/** True for whole numbers of more digits than a double holds: identifiers. */
function isLongWhole(text: string): boolean {
  return text.length > 15 && /^\d+$/u.test(text);
}

/** The smallest array that holds the numbers exactly. */
function packedNumbers(numbers: Float64Array): Packed {
  let whole = true;
  let single = true;
  let least = Infinity;
  let most = -Infinity;
  for (const value of numbers) {
    if (Number.isNaN(value)) {
      whole = false;
      continue;
    }
    if (!Number.isInteger(value) || Object.is(value, -0)) whole = false;
    if (Math.fround(value) !== value) single = false;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  if (whole && least >= 0 && most < 256) return Uint8Array.from(numbers);
  if (whole && least >= -32_768 && most < 32_768) return Int16Array.from(numbers);
  if (whole && least >= -2_147_483_648 && most < 2_147_483_648) return Int32Array.from(numbers);
  return single ? Float32Array.from(numbers) : numbers.slice();
}

function textOf(value: unknown): string {
  if (value === null || value === undefined || Number.isNaN(value)) return '';
  if (typeof value === 'string') return value.trim();
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
    return String(value);
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) return '';
    const [day = '', time = ''] = value.toISOString().slice(0, -1).split('T');
    return time === '00:00:00.000' ? day : `${day} ${time.replace('.000', '')}`;
  }
  return (
    JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? Number(inner) : inner)) ?? ''
  );
}
