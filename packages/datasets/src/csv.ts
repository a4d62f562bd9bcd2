import { CoppiceError, classFinder, type Feature, type TableData } from '@coppice/protocol';
import Papa from 'papaparse';
import { categoryFinder } from './categories.ts';
import { compactNumbers, type Numbers, type RawExamples } from './examples.ts';
import { readNumber } from './read-number.ts';
import { SkippedCounter, type SkippedRows } from './skipped-rows.ts';
import { UnlistedCounter, type UnlistedValues } from './unlisted-values.ts';

/** A table as read from a file: cells as text. */
export interface CsvTable {
  /** Names of the columns; `column 1`, `column 2`, … where the file has none. */
  readonly columns: readonly string[];
  /** True where the first line is a header. */
  readonly hasHeader: boolean;
  readonly rows: readonly (readonly string[])[];
}

export interface CsvPreview extends CsvTable {
  /** Rows in the whole file, without the header; `rows` has the first few. */
  readonly total: number;
}

/** The columns of the file that hold each feature and the target: indices into `columns`, null where none was found. */
export interface CsvMapping {
  /** One for each feature of the schema, in its order. */
  readonly features: readonly (number | null)[];
  readonly target: number | null;
}

export interface CsvExamples extends RawExamples {
  readonly features: Numbers;
  /** The most frequent reason first. The counts add up to the rows that were left out. */
  readonly skipped: readonly SkippedRows[];
  /** Values of categories, in rows that were taken, that the task does not list. The most frequent first. */
  readonly unlisted: readonly UnlistedValues[];
}

/**
 * Reads comma-, semicolon- or tab-separated text.
 *
 * @param options.header Whether the first line holds names; left out, it is guessed.
 * @throws CoppiceError `data-empty`
 */
export function readCsv(text: string, options: { header?: boolean } = {}): CsvTable {
  const parsed = Papa.parse<string[]>(text.replace(/^\uFEFF/, ''), { skipEmptyLines: 'greedy' });
  const lines = parsed.data.map((line) => line.map((cell) => cell.trim()));
  const [first] = lines;
  const hasHeader = options.header ?? looksLikeHeader(lines);
  const rows = hasHeader ? lines.slice(1) : lines;
  if (first === undefined || rows.length === 0) {
    throw new CoppiceError('data-empty', 'This file has no rows of data. Choose another one.');
  }
  const width = Math.max(...lines.slice(0, 100).map((line) => line.length));
  const columns = Array.from({ length: width }, (_, i) => (hasHeader && first[i]) || `column ${i + 1}`);
  return { columns, hasHeader, rows };
}

/** The table's columns and first rows, as a preview before the import. */
export function previewCsv(text: string, options: { header?: boolean; rows?: number } = {}): CsvPreview {
  const table = readCsv(text, options);
  return { ...table, rows: table.rows.slice(0, options.rows ?? 8), total: table.rows.length };
}

/**
 * Guesses that the first line is a header: it has no number, and the second has one or, in a table of words only, its
 * cells differ.
 */
function looksLikeHeader(lines: readonly (readonly string[])[]): boolean {
  const [first, second] = lines;
  if (!first || !second || first.some(isNumber)) return false;
  return second.some(isNumber) || new Set(first).size === first.length;
}

function isNumber(cell: string): boolean {
  return cell !== '' && Number.isFinite(Number(cell));
}

/**
 * Finds the schema's columns in the file: by equal names (ignoring case, spaces and signs), then by a name that
 * contains the other; where no name matches at all, in the order of the schema, target last.
 */
export function suggestMapping(columns: readonly string[], data: TableData): CsvMapping {
  const names = columns.map(plain);
  const wanted = [...data.features.map((feature) => feature.name), data.target.name].map(plain);
  const found: (number | null)[] = wanted.map(() => null);
  const free = new Set(names.keys());
  const match = (fits: (column: string, name: string) => boolean) => {
    for (const [i, name] of wanted.entries()) {
      if (found[i] !== null) continue;
      const column = [...free].find((at) => fits(names[at] as string, name));
      if (column === undefined) continue;
      found[i] = column;
      free.delete(column);
    }
  };
  match((column, name) => column === name && name !== '');
  match(
    (column, name) =>
      column.length > 2 && name.length > 2 && (column.includes(name) || name.includes(column)),
  );
  if (found.every((column) => column === null) && columns.length >= wanted.length) {
    return { features: data.features.map((_, i) => i), target: data.features.length };
  }
  return { features: found.slice(0, -1), target: found.at(-1) ?? null };
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
}

/**
 * Converts rows to examples. Names of classes and categories are compared as in `classFinder`; a category that is not
 * listed is taken as any other value, and counted. Rows that don't fit are left out and counted by reason; there may be
 * no examples at all.
 *
 * @throws CoppiceError `data-invalid` where the mapping has gaps.
 */
export function applyMapping(table: CsvTable, mapping: CsvMapping, data: TableData): CsvExamples {
  const unmapped = data.features.find((_, i) => mapping.features[i] == null)?.name;
  const target = mapping.target;
  if (unmapped !== undefined || target === null) {
    throw new CoppiceError(
      'data-invalid',
      `No column was chosen for "${unmapped ?? data.target.name}". Choose one, then take the rows over.`,
    );
  }
  const features: number[] = [];
  const labels: number[] = [];
  const skipped = new SkippedCounter();
  const unlisted = new UnlistedCounter();
  const readers = data.features.map(featureReader);
  const readLabel = labelReader(data);
  for (const [index, row] of table.rows.entries()) {
    const cellAt = (column: number) => ({
      column: table.columns[column] ?? `column ${column + 1}`,
      value: row[column] ?? '',
      firstRow: index + 1 + (table.hasHeader ? 1 : 0),
    });
    const skip = (column: number, kind: SkippedRows['kind']) => skipped.add({ kind, ...cellAt(column) });
    const values: number[] = [];
    for (const [i, read] of readers.entries()) {
      const column = mapping.features[i] as number;
      const value = read(row[column]);
      if (typeof value === 'string') {
        skip(column, value);
        break;
      }
      values.push(value);
    }
    if (values.length < data.features.length) continue;
    const label = readLabel(row[target]);
    if (typeof label === 'string') {
      skip(target, label);
      continue;
    }
    for (const [i, value] of values.entries()) {
      features.push(value);
      const feature = data.features[i];
      if (feature?.kind === 'category' && value === feature.values.length)
        unlisted.add(cellAt(mapping.features[i] as number));
    }
    labels.push(label);
  }
  return {
    count: labels.length,
    features: compactNumbers(Float64Array.from(features)),
    labels: compactNumbers(Float64Array.from(labels)),
    skipped: skipped.groups(),
    unlisted: unlisted.groups(),
  };
}

type CellReader = (cell: string | undefined) => number | SkippedRows['kind'];

function featureReader(feature: Feature): CellReader {
  if (feature.kind === 'category') {
    const find = categoryFinder(feature);
    return (cell) => (cell === undefined || cell === '' ? 'missing' : find(cell));
  }
  const { min = -Infinity, max = Infinity } = feature;
  return (cell) => {
    const value = readNumber(cell);
    return typeof value === 'number' && (value < min || value > max) ? 'out-of-range' : value;
  };
}

function labelReader(data: TableData): CellReader {
  if (data.target.kind !== 'class') return readNumber;
  const find = classFinder(data.target.classes);
  return (cell) => {
    if (cell === undefined || cell === '') return 'missing';
    return find(cell) ?? 'unknown-class';
  };
}
