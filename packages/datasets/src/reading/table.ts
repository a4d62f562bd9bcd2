import type { DateOrder, NumberFormat, Reading } from './choices.ts';
import type { ColumnBlocks } from './column.ts';
import { dateOrderOf, isBoolean, numberOfDate, type ReadDate, readDate } from './dates.ts';
import { standsForNothing } from './number-format.ts';

export type ColumnKind = 'number' | 'text' | 'boolean' | 'date';

/** A parsed cell: a number, a text (booleans and dates as they are written), or `null` for none. */
export type CellValue = number | string | null;

/** A column of a table with typed access to its cells. Rows count from 0. */
export class TableColumn {
  /** Different from the names of all other columns. */
  readonly name: string;
  /** The name in the file; empty where it has none. */
  readonly written: string;
  readonly kind: ColumnKind;
  /** True where the column numbers or names the rows. */
  readonly index: boolean;
  /** The place in the file, from 0. */
  readonly place: number;
  readonly format: NumberFormat;
  /** Of a column of dates: the order of day, month and year, and whether some have a time of day. */
  readonly dates: { readonly order: DateOrder; readonly timed: boolean } | null;
  /** Cells that are empty or, in a column of numbers or dates, stand for no value. */
  readonly missing: number;
  readonly blocks: ColumnBlocks;
  readonly #numbers: Float64Array;

  constructor(
    names: {
      readonly name: string;
      readonly written: string;
      readonly place: number;
      readonly index: boolean;
    },
    blocks: ColumnBlocks,
    choices: { readonly order: DateOrder | undefined; readonly fallback: 'dmy' | 'mdy' },
  ) {
    this.name = names.name;
    this.written = names.written;
    this.place = names.place;
    this.index = names.index;
    this.blocks = blocks;
    this.format = blocks.format;
    const { texts, values, counts } = blocks;
    let numbers = blocks.numbers;
    let nothing = 0;
    let others = 0;
    let booleans = 0;
    const found: (ReadDate | null)[] = [];
    const order = choices.order ?? dateOrderOf(texts, choices.fallback);
    let dates = 0;
    let timed = false;
    for (const [code, text] of texts.entries()) {
      const count = counts[code] as number;
      if (!Number.isNaN(values[code])) numbers += count;
      else if (standsForNothing(text)) nothing += count;
      else {
        others += count;
        if (isBoolean(text)) booleans += count;
        const date = readDate(text, order);
        found[code] = date;
        if (date !== null) {
          dates += count;
          timed ||= date.timed;
        }
      }
    }
    if (others > 0 && dates >= Math.max(1, others - allowed(others)) && numbers <= allowed(dates))
      this.kind = 'date';
    else if (others > 0 && booleans === others && numbers === 0) this.kind = 'boolean';
    else if (numbers > 0 && others <= allowed(numbers)) this.kind = 'number';
    else this.kind = numbers + others === 0 ? 'number' : 'text';
    this.dates = this.kind === 'date' ? { order, timed } : null;
    this.missing = blocks.empty + (this.kind === 'number' || this.kind === 'date' ? nothing : 0);
    this.#numbers = Float64Array.from(values, (value, code) => {
      if (this.kind !== 'date') return value;
      const date = found[code];
      return date === null || date === undefined ? Number.NaN : numberOfDate(date, timed);
    });
  }

  /** The cell as a number: of dates, days since 1970, or seconds where the column has times of day. NaN where it is none. */
  numberAt(row: number): number {
    const code = this.blocks.codeAt(row);
    return code >= 0 ? (this.#numbers[code] as number) : this.blocks.valueAt(row);
  }

  /** The cell's text, as in the file but for numbers beyond the first 4,096 different cells, which are written anew. */
  textAt(row: number): string {
    return this.blocks.textAt(row);
  }

  /** The number of each text of the column's dictionary. */
  get numbers(): Float64Array {
    return this.#numbers;
  }

  /** The parsed cell. */
  cellAt(row: number): CellValue {
    const text = this.blocks.textAt(row);
    if (text === '' || (this.kind !== 'text' && standsForNothing(text))) return null;
    if (this.kind === 'number') {
      const value = this.numberAt(row);
      return Number.isNaN(value) ? text : value;
    }
    return text;
  }
}

/** Texts among so many numbers that leave a column one of numbers: a stray word or a line of sums. */
function allowed(numbers: number): number {
  return numbers < 2 ? 0 : Math.max(1, Math.floor(numbers / 20));
}

/** Rows that have more cells than the table has columns. They are no rows of the table. */
export interface WideRows {
  readonly count: number;
  /** The number of the first in the file, from 1, and its first cell beyond the columns. */
  readonly row: number;
  readonly value: string;
}

/** A table as read from a file. */
export class Table {
  readonly reading: Reading;
  readonly columns: readonly TableColumn[];
  /** Rows of data. */
  readonly rows: number;
  readonly wide: WideRows | null;
  readonly #shifts: readonly (readonly [index: number, number: number])[];

  constructor(
    reading: Reading,
    columns: readonly TableColumn[],
    rows: number,
    wide: WideRows | null,
    shifts: readonly (readonly [index: number, number: number])[],
  ) {
    this.reading = reading;
    this.columns = columns;
    this.rows = rows;
    this.wide = wide;
    this.#shifts = shifts;
  }

  /** The number of a row in the file, from 1, as a spreadsheet counts: titles, comments and blank rows included. */
  rowNumber(row: number): number {
    let low = 0;
    let high = this.#shifts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#shifts[middle]?.[0] as number) <= row) low = middle;
      else high = middle - 1;
    }
    const [index, number] = this.#shifts[low] ?? [0, 1];
    return number + (row - index);
  }

  /** Bytes of the cells' blocks. */
  get bytes(): number {
    return this.columns.reduce((sum, { blocks }) => sum + blocks.bytes, 0);
  }
}
