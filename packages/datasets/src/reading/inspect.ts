import { classesOf, type TableData } from '@coppice/protocol';
import type { SkippedRows } from '../skipped-rows.ts';
import type { UnlistedValues } from '../unlisted-values.ts';
import type { Reading, ReadingChoices } from './choices.ts';
import type { LabelMap } from './class-of-label.ts';
import { mapColumns, targetNames, targetPlaces } from './map-columns.ts';
import { type LeftOutColumn, proposeSchema } from './propose-schema.ts';
import { readTable } from './read-table.ts';
import type { CellValue, ColumnKind, Table } from './table.ts';
import { takeRows } from './take-rows.ts';

/** What a file becomes under a task. */
export interface Inspection {
  readonly encoding: string | null;
  readonly separator: string | null;
  readonly decimal: '.' | ',';
  readonly header: boolean;
  readonly columns: readonly InspectedColumn[];
  readonly rows: { readonly taken: number; readonly left: number };
  /** The rows that were left out, by reason, the most frequent first; row, column and value are those of the first of them. */
  readonly reasons: readonly InspectedReason[];
  /** Rows taken, by class; `null` where the target is a number. */
  readonly classes: Readonly<Record<string, number>> | null;
  /** The first rows of the file, all columns: numbers as numbers, empty cells as `null`. */
  readonly first: readonly (readonly CellValue[])[];
}

export interface InspectedColumn {
  readonly name: string;
  readonly kind: ColumnKind;
  /** `index` numbers or names the rows; `ignored` is no column of the task. */
  readonly role: 'feature' | 'target' | 'index' | 'ignored';
}

export interface InspectedReason {
  /** `no-column`: the file has no column of that name. */
  readonly reason: SkippedRows['kind'] | 'no-column';
  readonly count: number;
  /** As a spreadsheet counts, from 1, the header included. */
  readonly row: number;
  readonly column: string;
  readonly value: string;
}

/** An inspection, and what its JSON leaves out. */
export interface InspectedFile {
  readonly inspection: Inspection;
  readonly reading: Reading;
  readonly data: TableData;
  readonly leftOut: readonly LeftOutColumn[];
  readonly unlisted: readonly UnlistedValues[];
}

/** Rows that are shown. */
const FIRST = 5;

/**
 * Reads a file and says what it becomes.
 *
 * @param options.data The task's schema; left out, one is proposed for `target`, or for the last column.
 * @throws CoppiceError as `readTable` and `proposeSchema` do.
 */
export async function inspectFile(
  file: Uint8Array | Blob,
  options: {
    readonly data?: TableData | undefined;
    readonly target?: string | undefined;
    readonly choices?: ReadingChoices;
    readonly labels?: LabelMap;
  } = {},
): Promise<InspectedFile> {
  const table = await readTable(file, options.choices);
  const { data, leftOut } =
    options.data === undefined
      ? proposeSchema(table, { target: options.target })
      : { data: options.data, leftOut: [] };
  return { reading: table.reading, data, leftOut, ...inspect(table, data, options.labels) };
}

function inspect(
  table: Table,
  data: TableData,
  labels: LabelMap = {},
): Pick<InspectedFile, 'inspection' | 'unlisted'> {
  const { reading, columns } = table;
  const mapping = mapColumns(table, data);
  const features = new Set(mapping.features);
  const targets = targetPlaces(mapping, data);
  const wanted = [...data.features.map(({ name }) => name), ...targetNames(data)];
  const lost = [...mapping.features, ...targets].flatMap((at, i) =>
    at === null ? [wanted[i] as string] : [],
  );
  const taken = lost.length === 0 ? takeRows(table, mapping, data, labels) : null;
  const all = table.rows + (table.wide?.count ?? 0);
  const reasons: InspectedReason[] =
    taken?.skipped.map(({ kind, count, firstRow, column, value }) => ({
      reason: kind,
      count,
      row: firstRow,
      column,
      value,
    })) ??
    lost.map((column) => ({ reason: 'no-column', count: all, row: table.rowNumber(0), column, value: '' }));
  const classes = classesOf(data);
  const counts = new Array<number>(classes?.length ?? 0).fill(0);
  if (classes !== null) for (const label of taken?.labels ?? []) (counts[label] as number)++;
  const count = taken?.count ?? 0;
  return {
    unlisted: taken?.unlisted ?? [],
    inspection: {
      encoding: reading.encoding,
      separator: reading.separator,
      decimal: reading.decimal,
      header: reading.header,
      columns: columns.map(({ name, kind, index }, at) => ({
        name,
        kind,
        role: features.has(at) ? 'feature' : targets.includes(at) ? 'target' : index ? 'index' : 'ignored',
      })),
      rows: { taken: count, left: all - count },
      reasons,
      classes:
        classes === null ? null : Object.fromEntries(classes.map((name, i) => [name, counts[i] as number])),
      first: Array.from({ length: Math.min(FIRST, table.rows) }, (_, row) =>
        columns.map((column) => column.cellAt(row)),
      ),
    },
  };
}
