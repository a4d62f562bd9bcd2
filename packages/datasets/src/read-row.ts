import { CoppiceError, type Feature, type TableData } from '@coppice/protocol';
import { categoryFinder } from './categories.ts';
import { compactNumbers, type Numbers } from './examples.ts';
import { PLAIN, readNumber, standsForNothing } from './reading/number-format.ts';

/** A row of a table by the names of its columns. */
export type Row = Readonly<Record<string, unknown>>;

/**
 * Reads the features of one row as they are stored: numbers, and indices of categories. Cells are read as those of a CSV
 * file: a number may be written as text, and a category that the task does not list is any other value. A number outside
 * of its plausible range is taken as it is. Columns that the task does not have are ignored.
 *
 * @returns One number for each column of the task, in its order.
 * @throws CoppiceError `data-invalid` where a column is missing, or a number is none.
 */
export function readRow(row: Row, data: TableData): Numbers {
  const values = Float64Array.from(data.features, (feature) => {
    const value = storedValue(cellOf(row, feature.name), feature);
    if (typeof value === 'number') return value;
    throw new CoppiceError(
      'data-invalid',
      value === 'missing'
        ? `The row has no value for the column "${feature.name}". Give one for each column of the task.`
        : `The value of the column "${feature.name}" is not a number. Give a number, or its text with a point before decimals.`,
    );
  });
  return compactNumbers(values);
}

function storedValue(cell: string | undefined, feature: Feature): number | 'missing' | 'not-a-number' {
  if (cell === undefined || cell === '') return 'missing';
  if (feature.kind === 'category') return categoryFinder(feature)(cell);
  const value = readNumber(cell, PLAIN);
  // Beyond float32 a number would become infinite on its way into the model.
  if (Number.isFinite(Math.fround(value))) return value;
  return standsForNothing(cell) ? 'missing' : 'not-a-number';
}

/** The text of a cell; `undefined` where there is none. */
function cellOf(row: Row, column: string): string | undefined {
  const value = Object.hasOwn(row, column) ? row[column] : undefined;
  if (typeof value === 'string') return value.trim();
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}
