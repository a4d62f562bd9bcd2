import { type TableData, targetColumns } from '@coppice/protocol';
import type { Table } from './table.ts';

/** The columns of a table that hold each feature and the target: indices into `columns`, `null` where none was found. */
export interface ColumnMapping {
  /** One for each feature of the schema, in its order. */
  readonly features: readonly (number | null)[];
  /** Of several numbers, the first. */
  readonly target: number | null;
  /** The columns of the numbers behind the first, in their order; left out: the target is one column. */
  readonly others?: readonly (number | null)[];
}

/** The names of a task's target columns, as many as an example has labels. */
export function targetNames(data: TableData): readonly string[] {
  return data.target.kind === 'numbers' ? targetColumns(data).map(({ name }) => name) : [data.target.name];
}

/** The columns of a task's targets, as many as it has names for. */
export function targetPlaces(
  { target, others = [] }: ColumnMapping,
  data: TableData,
): readonly (number | null)[] {
  return [
    target,
    ...targetNames(data)
      .slice(1)
      .map((_, i) => others[i] ?? null),
  ];
}

/**
 * Finds the schema's columns by their names: equal ones (in any Unicode form) first, then, for those left, names that are equal
 * but for case, white space, underscores and points, where one column and one name of the schema alone are. A name that contains
 * another is not equal to it, and a place says nothing.
 */
export function mapColumns({ columns }: Pick<Table, 'columns'>, data: TableData): ColumnMapping {
  const wanted = [...data.features.map(({ name }) => name), ...targetNames(data)].map(exact);
  const written = columns.map((column) => exact(column.written === '' ? column.name : column.written));
  const found: (number | null)[] = wanted.map(() => null);
  const free = new Set(columns.keys());
  // Names that came twice are taken in their order.
  const byName = Map.groupBy(free, (column) => written[column] as string);
  for (const [i, name] of wanted.entries()) {
    const column = byName.get(name)?.shift();
    if (column === undefined) continue;
    found[i] = column;
    free.delete(column);
  }
  // The second column of a name is called otherwise in the table.
  for (const [i, name] of wanted.entries()) {
    const column = found[i] === null ? columns.findIndex((one) => exact(one.name) === name) : -1;
    if (!free.delete(column)) continue;
    found[i] = column;
  }
  const open = [...wanted.keys()].filter((i) => found[i] === null);
  const names = Map.groupBy(open, (i) => folded(wanted[i] as string));
  const left = Map.groupBy(free, (column) => folded(written[column] as string));
  for (const [name, [i, ...others]] of names) {
    const [column, ...more] = left.get(name) ?? [];
    if (i !== undefined && column !== undefined && others.length + more.length === 0) found[i] = column;
  }
  return mappingOf(found, data);
}

/**
 * The columns in the schema's order, target last, for a file without a header. To be offered, never to be taken unseen: nothing
 * says that the order is the same.
 *
 * @returns `null` where the file has a header, or another number of columns. Index columns do not count.
 */
export function mapByOrder({ columns, reading }: Table, data: TableData): ColumnMapping | null {
  const places = [...columns.keys()].filter((at) => columns[at]?.index !== true);
  if (reading.header || places.length !== data.features.length + targetNames(data).length) return null;
  return mappingOf(places, data);
}

/** Features first, then targets. */
function mappingOf(places: readonly (number | null)[], data: TableData): ColumnMapping {
  const [target = null, ...others] = places.slice(data.features.length);
  const features = places.slice(0, data.features.length);
  return others.length === 0 ? { features, target } : { features, target, others };
}

function exact(name: string): string {
  return name.normalize('NFC').trim();
}

function folded(name: string): string {
  return name
    .toLowerCase()
    .replace(/[\s_.]+/gu, ' ')
    .trim();
}
