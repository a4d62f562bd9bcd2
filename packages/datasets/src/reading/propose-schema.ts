import { CoppiceError, type Feature, type TableData } from '@coppice/protocol';
import { standsForNothing } from './number-format.ts';
import type { Table, TableColumn } from './table.ts';

/** The most whole numbers that are classes. */
const MAX_NUMBER_CLASSES = 20;
/** The most classes of a task, and the most values of a column of categories that are proposed. */
const MAX_CLASSES = 1000;
const MAX_CATEGORIES = 50;
/** The longest name that a task takes, in UTF-16 code units. */
const MAX_NAME = 100;

/** A schema for the rows of a table. */
export interface ProposedSchema {
  readonly data: TableData;
  /** The columns that are no features, and why. */
  readonly leftOut: readonly LeftOutColumn[];
}

export interface LeftOutColumn {
  readonly name: string;
  /**
   * `index`: it numbers or names the rows; `all-different`: a text of its own in (nearly) every row; `extreme-values`: numbers that no scaling brings near 1; `one-value`: the same in all
   * rows; `empty`: no values; `long-values`: names beyond 100 characters.
   */
  readonly reason: 'index' | 'all-different' | 'one-value' | 'extreme-values' | 'empty' | 'long-values';
}

/**
 * Proposes the schema of a task from a table. The target is the last column, or the one named. A target of texts, or of at most
 * 20 different whole numbers, is a class; its names are in numeric order, else in that of code points. Columns of numbers and
 * dates get their mean and standard deviation (of the population), and the range of their values; columns of texts become
 * categories, their 50 most frequent values listed.
 *
 * @throws CoppiceError `data-invalid` where there is no such target, or nothing to learn from.
 */
export function proposeSchema(
  table: Table,
  options: { readonly target?: string | undefined } = {},
): ProposedSchema {
  const { columns } = table;
  const target = targetOf(table, options.target);
  const leftOut: LeftOutColumn[] = [];
  const features: Feature[] = [];
  for (const column of columns) {
    if (column === target) continue;
    const proposed = featureOf(column, table.rows);
    if (typeof proposed === 'string') leftOut.push({ name: column.name, reason: proposed });
    else features.push(proposed);
  }
  if (features.length === 0) {
    // A number that counts the rows is better than nothing.
    const counting = columns.filter(
      (column) => column !== target && !column.index && column.kind === 'number',
    );
    for (const column of counting) {
      const proposed = featureOf(column, table.rows, true);
      if (typeof proposed !== 'string') features.push(proposed);
    }
  }
  if (features.length === 0)
    throw new CoppiceError(
      'data-invalid',
      `The file has no column to learn "${target.name}" from. Choose a file with more columns, or another separator.`,
    );
  const taken = new Set(features.map(({ name }) => name));
  return {
    data: { kind: 'table', features, target: proposedTarget(target, table.rows) },
    leftOut: leftOut.filter(({ name }) => !taken.has(name)),
  };
}

function targetOf({ columns }: Table, name: string | undefined): TableColumn {
  const found =
    name === undefined
      ? columns.findLast(({ index }) => !index)
      : (columns.find((column) => column.name === name) ??
        columns.find((column) => column.written.normalize('NFC') === name.normalize('NFC').trim()));
  if (found !== undefined) return found;
  throw new CoppiceError(
    'data-invalid',
    name === undefined
      ? 'The file has no column that could be learnt. Choose another file.'
      : `The file has no column "${name.slice(0, MAX_NAME)}". Its columns are ${columns
          .map((column) => `"${column.name}"`)
          .slice(0, 20)
          .join(', ')}.`,
  );
}

function proposedTarget(column: TableColumn, rows: number): TableData['target'] {
  const name = column.name.slice(0, MAX_NAME);
  const classes = classNames(column);
  if (classes !== null) {
    if (classes.length >= 2 && classes.length <= MAX_CLASSES) return { kind: 'class', name, classes };
    throw new CoppiceError(
      'data-invalid',
      classes.length < 2
        ? `The column "${name}" has one value in all rows, so there is nothing to learn. Choose another target.`
        : `The column "${name}" has ${classes.length} different texts, more than ${MAX_CLASSES} classes. Choose another target.`,
    );
  }
  const { mean, scale, min, max } = spreadOf(column, rows);
  if (!isScalable({ scale, min, max }))
    throw new CoppiceError(
      'data-invalid',
      `The numbers of the column "${name}" are too large, or too close to each other, to be scaled. Choose another target.`,
    );
  // A column without a number has no range.
  return { kind: 'number', name, mean, scale, ...(min <= max ? { min, max } : {}) };
}

/** The classes of a target; `null` where it is a number. */
function classNames(column: TableColumn): string[] | null {
  const { texts, counts } = column.blocks;
  if (column.kind === 'text' || column.kind === 'boolean') {
    const names = new Set<string>();
    for (const [code, text] of texts.entries()) if ((counts[code] as number) > 0) names.add(nameOf(text));
    return sorted(withoutTwins([...names]));
  }
  if (column.kind === 'date' || column.blocks.numbers > 0) return null;
  const values = new Set<number>();
  for (const [code, text] of texts.entries()) {
    const value = column.numbers[code] as number;
    if (Number.isNaN(value)) {
      if (!standsForNothing(text)) continue;
    } else if (!Number.isInteger(value)) return null;
    else values.add(value);
    if (values.size > MAX_NUMBER_CLASSES) return null;
  }
  return values.size === 0 ? null : [...values].sort((a, b) => a - b).map(String);
}

function nameOf(text: string): string {
  return text.normalize('NFC').trim().slice(0, MAX_NAME);
}

/** Names that no task may have beside each other are one: equal numbers. */
function withoutTwins(names: readonly string[]): string[] {
  const seen = new Set<string>();
  return names.filter((name) => {
    const key = /^[+-]?(?:\d+\.?\d*|\.\d+)$/u.test(name) ? `=${Number(name)}` : name;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** Numbers by value before texts by their code points, whatever the language of the machine. */
function sorted(names: string[]): string[] {
  return names.sort((a, b) => {
    const [x, y] = [Number(a), Number(b)];
    if (!Number.isNaN(x) && !Number.isNaN(y) && x !== y) return x - y;
    if (Number.isNaN(x) !== Number.isNaN(y)) return Number.isNaN(x) ? 1 : -1;
    return a < b ? -1 : a > b ? 1 : 0;
  });
}

function featureOf(column: TableColumn, rows: number, counting = false): Feature | LeftOutColumn['reason'] {
  const name = column.name.slice(0, MAX_NAME);
  if (column.index || (!counting && countsRows(column, rows))) return 'index';
  if (column.missing === rows) return 'empty';
  if (column.kind === 'number' || column.kind === 'date') {
    const { mean, scale, min, max } = spreadOf(column, rows);
    if (min === max) return 'one-value';
    return isScalable({ scale, min, max })
      ? { kind: 'number', name, mean, scale, min, max }
      : 'extreme-values';
  }
  const { texts, counts, numbers } = column.blocks;
  const filled = rows - column.blocks.empty;
  const different = texts.length + numbers;
  if (different === 1) return 'one-value';
  if (filled > 2 && different > 0.9 * filled) return 'all-different';
  const values = [...texts.keys()]
    .sort((a, b) => (counts[b] as number) - (counts[a] as number))
    .map((code) => (texts[code] as string).normalize('NFC'))
    .filter((text) => text.length <= MAX_NAME)
    .slice(0, MAX_CATEGORIES);
  if (values.length === 0) return 'long-values';
  return { kind: 'category', name, values: sorted(withoutTwins([...new Set(values)])) };
}

/** Names of columns that number rows. */
const NUMBERING =
  /^(?:id|index|idx|no|nr|num|number|row|rownum|row ?(?:id|number)|n°|#|编号|序号|行号|号|lfd\.? ?nr\.?)\.?$/iu;

/** True where a column counts the rows from 0 or from 1, one by one, and is called so or does it for 20 rows. */
function countsRows(column: TableColumn, rows: number): boolean {
  if (column.kind !== 'number' || rows < 3 || (rows < 20 && !NUMBERING.test(column.name))) return false;
  const first = column.numberAt(0);
  if (first !== 0 && first !== 1) return false;
  for (let row = 1; row < rows; row++) if (column.numberAt(row) !== first + row) return false;
  return true;
}

/** Whether a task takes a column's scaling and range: deviations from 1e-20 to 1e20, numbers up to 1e30. */
function isScalable({ scale, min, max }: { scale: number; min: number; max: number }): boolean {
  const isBeyond = (value: number) => Math.abs(value) > 1e30;
  return scale >= 1e-20 && scale <= 1e20 && !(min <= max && (isBeyond(min) || isBeyond(max)));
}

/** Mean, standard deviation of the population and range of a column's numbers, in double precision by West's weighted updates. */
function spreadOf(
  column: TableColumn,
  rows: number,
): { mean: number; scale: number; min: number; max: number } {
  let weight = 0;
  let mean = 0;
  let squares = 0;
  let min = Infinity;
  let max = -Infinity;
  const add = (value: number, times: number) => {
    if (Number.isNaN(value)) return;
    weight += times;
    const away = value - mean;
    mean += (away * times) / weight;
    squares += times * away * (value - mean);
    if (value < min) min = value;
    if (value > max) max = value;
  };
  const { blocks, numbers } = column;
  for (const [code, value] of numbers.entries()) add(value, blocks.counts[code] as number);
  if (blocks.numbers > 0) {
    for (let row = 0; row < rows; row++) if (blocks.codeAt(row) < -1) add(blocks.valueAt(row), 1);
  }
  const deviation = weight === 0 ? 0 : Math.sqrt(squares / weight);
  return { mean, scale: deviation > 0 && Number.isFinite(deviation) ? deviation : 1, min, max };
}
