import { type CategoryFeature, CoppiceError, type Feature, type TableData } from '@coppice/protocol';
import { compactNumbers, type Numbers, type RawExamples } from '../examples.ts';
import { SkippedCounter, type SkippedRows } from '../skipped-rows.ts';
import { UnlistedCounter, type UnlistedValues } from '../unlisted-values.ts';
import { classOfLabel, finderOf, type LabelMap } from './class-of-label.ts';
import { type ColumnMapping, targetNames, targetPlaces } from './map-columns.ts';
import { standsForNothing } from './number-format.ts';
import type { Table, TableColumn } from './table.ts';

/** The rows of a table as examples. */
export interface TakenRows extends RawExamples {
  readonly features: Numbers;
  /** The rows that were left out, by reason; the most frequent first. */
  readonly skipped: readonly SkippedRows[];
  /** Values of categories, in rows that were taken, that the task does not list. The most frequent first. */
  readonly unlisted: readonly UnlistedValues[];
}

/** Why a cell gives no number. Indices are stored, 0 being none. */
const REASONS = ['missing', 'not-a-number', 'out-of-range', 'unknown-class'] as const;
type Reason = (typeof REASONS)[number];

/** Rows that are read at a time: a part of a block of a column. */
const SLICE = 256;

/**
 * Converts rows to examples. Columns of numbers take numbers, and dates: as days since 1970, or as seconds where the column has
 * times of day. Columns of categories take any text, a value that the task does not list as any other value. Labels are class
 * names as `classFinder` compares them, first as written, then as the number that they are in the file's format; `labels` has the
 * last word. A target of several numbers gives as many labels a row. Rows that do not fit are left out and counted by reason; there may be no examples at all.
 *
 * @param labels `unlabelled`: only the features are read, no column is needed for the target, and all labels are NaN.
 * @throws CoppiceError `data-invalid` where the mapping has gaps.
 */
export function takeRows(
  table: Table,
  mapping: ColumnMapping,
  data: TableData,
  labels: LabelMap | 'unlabelled' = {},
): TakenRows {
  const places = labels === 'unlabelled' ? [] : targetPlaces(mapping, data);
  const unmapped =
    data.features.find((_, i) => mapping.features[i] == null)?.name ??
    targetNames(data).find((_, i) => places[i] === null);
  if (unmapped !== undefined)
    throw new CoppiceError(
      'data-invalid',
      `No column was chosen for "${unmapped}". Choose one, then take the rows over.`,
    );
  const { rows } = table;
  const size = data.features.length;
  const columnOf = (at: number | null | undefined) => table.columns[at as number] as TableColumn;
  /** Of each row, the first column without a number plus 1, and why. */
  const failing = new Uint16Array(rows);
  const reasons = new Uint8Array(rows);
  const numbers = data.features.map((feature, i) => featureNumbers(feature, columnOf(mapping.features[i])));
  const single = numbers.every((cells) => cells.single);
  const features = single ? new Float32Array(rows * size) : new Float64Array(rows * size);
  const outputs = targetNames(data).length;
  const targets = new Float64Array(rows * outputs).fill(Number.NaN);
  const fail = (row: number, at: number, reason: Reason) => {
    if (failing[row] !== 0) return;
    failing[row] = at + 1;
    reasons[row] = REASONS.indexOf(reason);
  };
  const labelled =
    labels === 'unlabelled' ? [] : places.map((at) => targetNumbers(data, columnOf(at), labels));
  // A few rows at a time, so that what is written stays at hand.
  for (let from = 0; from < rows; from += SLICE) {
    const some = Math.min(SLICE, rows - from);
    for (const [i, cells] of numbers.entries()) {
      cells.forEach(from, some, (row, value, reason) => {
        if (reason === null) features[row * size + i] = value;
        else fail(row, i, reason);
      });
    }
    for (const [i, cells] of labelled.entries()) {
      cells.forEach(from, some, (row, value, reason) => {
        if (reason === null) targets[row * outputs + i] = value;
        else fail(row, size + i, reason);
      });
    }
  }

  const skipped = new SkippedCounter();
  const unlisted = new UnlistedCounter();
  const columns = [...mapping.features, ...places].map(columnOf);
  const categories = data.features.flatMap((feature, i) =>
    feature.kind === 'category' ? [{ i, feature }] : [],
  );
  let count = 0;
  for (let row = 0; row < rows; row++) {
    const failed = failing[row] as number;
    if (failed > 0) {
      const column = columns[failed - 1] as TableColumn;
      skipped.add({
        kind: REASONS[reasons[row] as number] as Reason,
        column: column.name,
        value: column.textAt(row),
        firstRow: table.rowNumber(row),
      });
      continue;
    }
    for (const { i, feature } of categories) {
      if (features[row * size + i] !== feature.values.length) continue;
      const column = columns[i] as TableColumn;
      unlisted.add({ column: column.name, value: column.textAt(row), firstRow: table.rowNumber(row) });
    }
    if (count < row) {
      features.copyWithin(count * size, row * size, (row + 1) * size);
      targets.copyWithin(count * outputs, row * outputs, (row + 1) * outputs);
    }
    count++;
  }
  const { wide } = table;
  if (wide !== null) {
    const { row: firstRow, value, count: rowsLeft } = wide;
    skipped.add({ kind: 'too-many-cells', column: '', value, firstRow }, rowsLeft);
  }
  return {
    count,
    features: count === rows ? features : features.slice(0, count * size),
    labels: compactNumbers(targets.subarray(0, count * outputs)),
    skipped: skipped.groups(),
    unlisted: unlisted.groups(),
  };
}

/** The numbers that a column gives, each cell's or the reason why it gives none. */
class CellNumbers {
  readonly #column: TableColumn;
  /** By code: the number, and the reason why there is none. */
  readonly #numbers: Float64Array;
  readonly #reasons: (Reason | null)[];
  readonly #ofValue: (value: number) => number | Reason;

  constructor(
    column: TableColumn,
    ofText: (text: string, value: number) => number | Reason,
    ofValue: (value: number) => number | Reason,
  ) {
    this.#column = column;
    const { texts } = column.blocks;
    this.#numbers = new Float64Array(texts.length);
    this.#reasons = texts.map((text, code) => {
      const number = ofText(text, column.numbers[code] as number);
      if (typeof number === 'string') return number;
      this.#numbers[code] = number;
      return null;
    });
    this.#ofValue = ofValue;
  }

  /** True where float32 holds all numbers exactly. */
  get single(): boolean {
    if (this.#numbers.some((value) => Math.fround(value) !== value)) return false;
    return this.#column.blocks.numbers === 0 || this.#column.blocks.singleNumbers;
  }

  forEach(
    from: number,
    count: number,
    each: (row: number, value: number, reason: Reason | null) => void,
  ): void {
    this.#column.blocks.forEach(from, count, (row, code, value) => {
      if (code >= 0) {
        each(row, this.#numbers[code] as number, this.#reasons[code] as Reason | null);
        return;
      }
      const number = code === -1 ? 'missing' : this.#ofValue(value);
      if (typeof number === 'string') each(row, 0, number);
      else each(row, number, null);
    });
  }
}

function featureNumbers(feature: Feature, column: TableColumn): CellNumbers {
  if (feature.kind === 'category') return categoryNumbers(feature, column);
  const { min = -Infinity, max = Infinity } = feature;
  const ofValue = (value: number) => {
    // Beyond float32 a number would become infinite on its way into the model.
    if (!Number.isFinite(Math.fround(value))) return 'not-a-number';
    return value < min || value > max ? 'out-of-range' : value;
  };
  return new CellNumbers(column, (text, value) => numberOr(text, value, ofValue), ofValue);
}

function numberOr(text: string, value: number, ofValue: (value: number) => number | Reason): number | Reason {
  if (!Number.isNaN(value)) return ofValue(value);
  return standsForNothing(text) ? 'missing' : 'not-a-number';
}

function categoryNumbers({ values }: CategoryFeature, column: TableColumn): CellNumbers {
  const find = finderOf(values);
  return new CellNumbers(
    column,
    (text, value) => find(text, value) ?? values.length,
    (value) => find(String(value), value) ?? values.length,
  );
}

function targetNumbers({ target }: TableData, column: TableColumn, labels: LabelMap): CellNumbers {
  if (target.kind !== 'class') {
    const ofValue = (value: number) => (Number.isFinite(Math.fround(value)) ? value : 'not-a-number');
    return new CellNumbers(column, (text, value) => numberOr(text, value, ofValue), ofValue);
  }
  const classOf = classOfLabel(target.classes, labels);
  const ofText = (text: string, value: number) => classOf(text, value) ?? 'unknown-class';
  return new CellNumbers(column, ofText, (value) => ofText(String(value), value));
}
