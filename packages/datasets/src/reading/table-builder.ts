import { CoppiceError } from '@coppice/protocol';
import type { NumberFormat, Reading, ReadingChoices } from './choices.ts';
import { ColumnBlocks } from './column.ts';
import type { Head } from './guess.ts';
import type { Cells } from './scan.ts';
import { MAX_COLUMNS } from './scan.ts';
import { Table, TableColumn, type WideRows } from './table.ts';

/** Cells of rows that are held back. */
const HELD = 32_768;

/** Puts rows into columns. */
export class TableBuilder {
  readonly #head: Head;
  readonly #columns: ColumnBlocks[];
  readonly #shifts: [number, number][] = [];
  /** Begin and end of the cells of rows that are in no column yet, row by row, and the cells that are no part of the text. */
  readonly #spans: Int32Array;
  readonly #cooked = new Map<number, string>();
  readonly #room: number;
  #held = 0;
  #text = '';
  #rows = 0;
  #wide: WideRows | null = null;

  constructor(head: Head, formats: readonly NumberFormat[]) {
    if (head.names.length > MAX_COLUMNS) tooMany(head.names.length);
    this.#head = head;
    this.#room = Math.max(1, Math.floor(HELD / Math.max(1, head.names.length)));
    this.#spans = new Int32Array(2 * this.#room * head.names.length);
    this.#columns = head.names.map((_, column) => new ColumnBlocks(formats[column] as NumberFormat));
  }

  get columns(): readonly ColumnBlocks[] {
    return this.#columns;
  }

  /** Adds a row of a text, which is not blank. @param number Its number in the file, from 1. */
  addCells(cells: Cells, number: number): void {
    const width = this.#columns.length;
    for (let cell = width; cell < cells.count; cell++) {
      const value = cells.textAt(cell);
      if (value === '') continue;
      this.#addWide(number, value);
      return;
    }
    if (this.#held === this.#room || cells.text !== this.#text) this.flush();
    this.#text = cells.text;
    this.#number(number);
    const from = 2 * width * this.#held;
    const filled = 2 * Math.min(width, cells.count);
    this.#spans.set(cells.spans.subarray(0, filled), from);
    if (filled < 2 * width) this.#spans.fill(0, from + filled, from + 2 * width);
    if (cells.hasCooked) {
      for (let column = 0; column < width; column++) {
        const own = cells.cookedAt(column);
        if (own !== undefined) this.#cooked.set(this.#held * width + column, own);
      }
    }
    this.#held++;
  }

  /** Puts the rows that are held back into the columns, one column after another: so each is at hand for many cells. */
  flush(): void {
    const columns = this.#columns;
    const width = columns.length;
    const text = this.#text;
    const spans = this.#spans;
    for (let column = 0; column < width; column++) {
      const blocks = columns[column] as ColumnBlocks;
      for (let row = 0; row < this.#held; row++) {
        const cell = row * width + column;
        const own = this.#cooked.size === 0 ? undefined : this.#cooked.get(cell);
        if (own === undefined) blocks.add(text, spans[2 * cell] as number, spans[2 * cell + 1] as number);
        else blocks.add(own, 0, own.length);
      }
    }
    this.#held = 0;
    this.#text = '';
    this.#cooked.clear();
  }

  /** Adds a row of cells. Blank rows are left out. */
  addRow(row: readonly string[], number: number): void {
    if (row.every((cell) => cell === '')) return;
    const width = this.#columns.length;
    const beyond = row.slice(width).find((cell) => cell !== '');
    if (beyond !== undefined) {
      this.#addWide(number, beyond);
      return;
    }
    this.#number(number);
    for (let column = 0; column < width; column++) {
      const cell = row[column] ?? '';
      (this.#columns[column] as ColumnBlocks).add(cell, 0, cell.length);
    }
  }

  /** Says how many rows were added column by column, and the number of the first in the file, from 1. */
  hold(rows: number, firstNumber: number): void {
    this.#rows = rows;
    this.#shifts.push([0, firstNumber]);
  }

  /** @throws CoppiceError `data-empty` where there are no rows of data. */
  finish(reading: Reading, choices: ReadingChoices): Table {
    this.flush();
    if (this.#rows === 0 && this.#wide === null)
      throw new CoppiceError('data-empty', 'This file has no rows of data. Choose another one.');
    const { names, indexColumns } = this.#head;
    const fallback = reading.decimal === ',' ? 'dmy' : 'mdy';
    for (const blocks of this.#columns) blocks.finish();
    // Columns without a name and without a cell come from separators at the ends of lines.
    const kept = [...names.keys()].filter(
      (place) => names[place] !== '' || (this.#columns[place] as ColumnBlocks).empty < this.#rows,
    );
    const written = new Set(names);
    const seen = new Set<string>();
    const columns = kept.map((place) => {
      const own = names[place] as string;
      const name = uniqueName(own === '' ? `column ${place + 1}` : own, own === '', written, seen);
      seen.add(name);
      return new TableColumn(
        { name, written: own, place, index: indexColumns.includes(place) },
        this.#columns[place] as ColumnBlocks,
        { order: choices.dates?.[place], fallback },
      );
    });
    return new Table(reading, columns, this.#rows, this.#wide, this.#shifts);
  }

  #number(number: number): void {
    const [index, at] = this.#shifts.at(-1) ?? [-1, 0];
    if (index < 0 || at + (this.#rows - index) !== number) this.#shifts.push([this.#rows, number]);
    this.#rows++;
  }

  #addWide(row: number, value: string): void {
    this.#wide = { row, value, ...this.#wide, count: (this.#wide?.count ?? 0) + 1 };
  }
}

/** A name that no other column has: the second `x` is `x.1`, as pandas calls it. @param made True for a name that no file has. */
function uniqueName(
  wanted: string,
  made: boolean,
  written: ReadonlySet<string>,
  seen: ReadonlySet<string>,
): string {
  if (!seen.has(wanted) && !(made && written.has(wanted))) return wanted;
  let copy = 1;
  while (seen.has(`${wanted}.${copy}`) || written.has(`${wanted}.${copy}`)) copy++;
  return `${wanted}.${copy}`;
}

export function tooMany(columns: number): never {
  throw new CoppiceError(
    'data-invalid',
    `The file has ${columns} columns. Tables of up to ${MAX_COLUMNS} are read: choose another separator, or leave columns out.`,
  );
}
