import { CoppiceError } from '@coppice/protocol';
import type { Separator } from './choices.ts';

/** The most characters of one row. */
export const MAX_ROW = 16 * 1024 * 1024;
/** The most columns of a table. */
export const MAX_COLUMNS = 5000;

export interface TextForm {
  readonly separator: Separator;
  readonly quote: '"' | "'" | null;
}

/** The cells of one row: where each begins and ends in `text`, or, of a cell with quotation marks inside, its own text. */
export class Cells {
  text = '';
  count = 0;
  /** Begin and end of each cell, white space around it left out. */
  readonly spans = new Int32Array(2 * (MAX_COLUMNS + 1));
  readonly #cooked = new Map<number, string>();
  /** True where a quotation mark that the row opened was not closed before the end of the file. */
  unclosed = false;

  begin(text: string): void {
    this.text = text;
    this.count = 0;
    this.unclosed = false;
    if (this.#cooked.size > 0) this.#cooked.clear();
  }

  add(start: number, end: number): void {
    const { text } = this;
    while (start < end && isSpace(text.charCodeAt(start))) start++;
    while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
    this.#place(start, end);
  }

  addCooked(cell: string): void {
    this.#cooked.set(this.count, cell.trim());
    this.#place(0, 0);
  }

  get hasCooked(): boolean {
    return this.#cooked.size > 0;
  }

  cookedAt(cell: number): string | undefined {
    return this.#cooked.size === 0 ? undefined : this.#cooked.get(cell);
  }

  textAt(cell: number): string {
    if (cell >= this.count) return '';
    return (
      this.cookedAt(cell) ??
      this.text.slice(this.spans[2 * cell] as number, this.spans[2 * cell + 1] as number)
    );
  }

  all(): string[] {
    return Array.from({ length: this.count }, (_, cell) => this.textAt(cell));
  }

  /** True where all cells are empty. */
  get blank(): boolean {
    for (let cell = 0; cell < this.count; cell++) {
      if (this.spans[2 * cell] !== this.spans[2 * cell + 1] || (this.cookedAt(cell) ?? '') !== '')
        return false;
    }
    return true;
  }

  #place(start: number, end: number): void {
    if (this.count > MAX_COLUMNS)
      throw new CoppiceError(
        'data-invalid',
        `The file has a row of more than ${MAX_COLUMNS} cells. Tables of up to ${MAX_COLUMNS} columns are read: choose another separator, or leave columns out.`,
      );
    this.spans[2 * this.count] = start;
    this.spans[2 * this.count + 1] = end;
    this.count++;
  }
}

function isSpace(code: number): boolean {
  return code === 32 || code === 9 || code === 0xa0 || code === 0xfeff || code === 0x3000;
}

const LF = 10;
const CR = 13;
const SPACE = 32;
const TAB = 9;

/**
 * Reads the rows of a text, each into the same `cells`. Rows end with LF, CR LF or CR; a quoted cell may contain these. A
 * quotation mark inside a quoted cell is written twice. Quotation marks behind the beginning of a cell are characters.
 *
 * @param last False where more text follows: a row at the end is then left for the next call.
 * @param onRow Returns false to stop.
 * @returns The index in `text` of the first row that was not read.
 * @throws CoppiceError `data-invalid` for rows beyond `MAX_ROW` and `MAX_COLUMNS`.
 */
export function scanRows(
  text: string,
  { separator, quote }: TextForm,
  last: boolean,
  cells: Cells,
  onRow: (cells: Cells) => boolean | undefined,
): number {
  const split = separator.charCodeAt(0);
  const runs = separator === ' ';
  const mark = quote === null ? -1 : quote.charCodeAt(0);
  const { length } = text;
  let at = 0;
  while (at < length) {
    const begin = at;
    cells.begin(text);
    if (runs) while (at < length && isGap(text.charCodeAt(at))) at++;
    let ended = false;
    while (!ended) {
      let start = at;
      // White space before a quotation mark is no part of the cell.
      if (mark >= 0 && !runs) {
        while (start < length && text.charCodeAt(start) === SPACE) start++;
      }
      if (mark >= 0 && start < length && text.charCodeAt(start) === mark) {
        at = quotedEnd(text, start, mark);
        if (at < 0) {
          if (!last) return incomplete(text, begin);
          cells.unclosed = true;
          at = length;
        }
        const close = cells.unclosed ? length : at;
        let code = -1;
        while (at < length) {
          code = text.charCodeAt(at);
          if (code === LF || code === CR || code === split || (runs && code === TAB)) break;
          at++;
        }
        const inner = text.slice(start + 1, cells.unclosed ? length : close - 1);
        const after = text.slice(close, at).trim();
        if (after === '' && !inner.includes(quote as string)) cells.add(start + 1, start + 1 + inner.length);
        else cells.addCooked(`${inner.replaceAll(`${quote}${quote}`, quote as string)}${after}`);
      } else {
        let code = -1;
        start = at;
        while (at < length) {
          code = text.charCodeAt(at);
          if (code === split || code === LF || code === CR || (runs && code === TAB)) break;
          at++;
        }
        cells.add(start, at);
      }
      if (at >= length) {
        if (!last) return incomplete(text, begin);
        ended = true;
        continue;
      }
      const code = text.charCodeAt(at);
      if (code === LF || code === CR) {
        if (code === CR) {
          if (at + 1 >= length && !last) return incomplete(text, begin);
          if (text.charCodeAt(at + 1) === LF) at++;
        }
        at++;
        ended = true;
        continue;
      }
      at++;
      if (runs) {
        while (at < length && isGap(text.charCodeAt(at))) at++;
        const next = at < length ? text.charCodeAt(at) : -1;
        if (next === LF || next === CR || (next < 0 && last)) {
          if (next === CR && at + 1 >= length && !last) return incomplete(text, begin);
          if (next === CR && text.charCodeAt(at + 1) === LF) at++;
          at++;
          ended = true;
        } else if (next < 0) return incomplete(text, begin);
      } else if (at >= length) {
        if (!last) return incomplete(text, begin);
        cells.add(at, at);
        ended = true;
      }
    }
    if (at - begin > MAX_ROW) refuseLongRow();
    if (onRow(cells) === false) return at;
  }
  return Math.min(at, length);
}

function isGap(code: number): boolean {
  return code === SPACE || code === TAB;
}

function incomplete(text: string, begin: number): number {
  if (text.length - begin > MAX_ROW) refuseLongRow();
  return begin;
}

/** @throws CoppiceError `data-invalid` */
export function refuseLongRow(): never {
  throw new CoppiceError(
    'data-invalid',
    `The file has a row of more than ${MAX_ROW / 1024 / 1024} million characters, so it is no table of text, or a quotation mark in it is never closed. Choose another file, or read it without quotation marks.`,
  );
}

/** The index behind the closing mark of the cell that opens at `start`; -1 where there is none. */
function quotedEnd(text: string, start: number, mark: number): number {
  const sign = String.fromCharCode(mark);
  let at = start + 1;
  for (;;) {
    const close = text.indexOf(sign, at);
    if (close < 0) return -1;
    if (text.charCodeAt(close + 1) !== mark) return close + 1;
    at = close + 2;
  }
}
