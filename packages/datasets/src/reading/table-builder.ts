import { CoppiceError } from '@coppice/protocol';
import type { NumberFormat, Reading, ReadingChoices } from './choices.ts';
import { ColumnBlocks } from './column.ts';
import type { Head } from './guess.ts';
import type { Cells } from './scan.ts';
import { MAX_COLUMNS } from './scan.ts';
import { Table, TableColumn, type WideRows } from './table.ts';

/** Puts rows into columns. */
export class TableBuilder {
  readonly #head: Head;
  readonly #columns: ColumnBlocks[];
  readonly #shifts: [number, number][] = [];
  #rows = 0;
  #wide: WideRows | null = null;

  constructor(head: Head, formats: readonly NumberFormat[]) {
    if (head.names.length > MAX_COLUMNS) tooMany(head.names.length);
    this.#head = head;
    this.#columns = head.names.map((_, column) => new ColumnBlocks(formats[column] as NumberFormat));
  }

  get columns(): readonly ColumnBlocks[] {
    return this.#columns;
  }

  /** Adds a row of a text, which is not blank. @param number Its number in the file, from 1. */
  addCells(cells: Cells, number: number): void {
    const columns = this.#columns;
    const width = columns.length;
    if (cells.count > width) {
      for (let cell = width; cell < cells.count; cell++) {
        const value = cells.textAt(cell);
        if (value === '') continue;
        this.#addWide(number, value);
        return;
      }
    }
    this.#number(number);
    const { text, spans, count } = cells;
    for (let column = 0; column < width; column++) {
      const blocks = columns[column] as ColumnBlocks;
      if (column >= count) {
        blocks.add('', 0, 0);
        continue;
      }
      const own = cells.cookedAt(column);
      if (own === undefined) blocks.add(text, spans[2 * column] as number, spans[2 * column + 1] as number);
      else blocks.add(own, 0, own.length);
    }
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
    if (this.#rows === 0 && this.#wide === null)
      throw new CoppiceError('data-empty', 'This file has no rows of data. Choose another one.');
    const { names, indexColumns } = this.#head;
    const fallback = reading.decimal === ',' ? 'dmy' : 'mdy';
    for (const blocks of this.#columns) blocks.finish();
    // Columns without a name and without a cell come from separators at the ends of lines.
    const kept = [...names.keys()].filter(
      (place) => names[place] !== '' || (this.#columns[place] as ColumnBlocks).empty < this.#rows,
    );
    const taken = new Set(names.filter((name) => name !== ''));
    const seen = new Set<string>();
    const columns = kept.map((place) => {
      const written = names[place] as string;
      const name = uniqueName(
        written === '' ? `column ${place + 1}` : written,
        written === '' ? taken : seen,
        seen,
      );
      return new TableColumn(
        { name, written, place, index: indexColumns.includes(place) },
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

/** A name that no column before has: the second `x` is `x.1`, as pandas calls it. */
function uniqueName(wanted: string, taken: ReadonlySet<string>, seen: Set<string>): string {
  let name = wanted;
  for (let copy = 1; taken.has(name) || seen.has(name); copy++) name = `${wanted}.${copy}`;
  seen.add(name);
  return name;
}

export function tooMany(columns: number): never {
  throw new CoppiceError(
    'data-invalid',
    `The file has ${columns} columns. Tables of up to ${MAX_COLUMNS} are read: choose another separator, or leave columns out.`,
  );
}
