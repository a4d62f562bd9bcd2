import type { RawExamples, SkippedRows, UnlistedValues } from '@coppice/datasets';
import {
  type ColumnKind,
  type ColumnMapping,
  type LabelMap,
  type LabelUse,
  labelUses,
  mapByOrder,
  mapColumns,
  type Reading,
  type ReadingChoices,
  readTable,
  type Table,
  takeRows,
} from '@coppice/datasets/reading';
import type { TableData } from '@coppice/protocol';

/** A file as the page shows it before anything is added. */
export interface TableView {
  readonly reading: Reading;
  /** Rows of data in the whole file. */
  readonly rows: number;
  readonly columns: readonly { readonly name: string; readonly kind: ColumnKind; readonly index: boolean }[];
  /** Places of the columns of `first`, in the file's order. */
  readonly shown: readonly number[];
  /** Texts of the first rows, of the shown columns alone. */
  readonly first: readonly (readonly string[])[];
  /** The columns that were found by name. */
  readonly mapping: ColumnMapping;
  /** Columns in the task's order, to be offered where nothing was found by name; `null`: the file has names, or other columns. */
  readonly byOrder: ColumnMapping | null;
}

/** The examples that a file would become. */
export interface TableFit {
  readonly taken: number;
  readonly skipped: readonly SkippedRows[];
  readonly unlisted: readonly UnlistedValues[];
  /** Labels that are no class exactly as written, with the classes that they become; the most frequent first. */
  readonly labels: readonly LabelUse[];
}

const FIRST_ROWS = 5;
const FIRST_COLUMNS = 12;
/** The longest text of a cell in the preview. */
const FIRST_CHARACTERS = 40;

/** A table that was opened and not added yet. */
export class OpenTable {
  readonly #table: Table;
  readonly #data: TableData;

  private constructor(table: Table, data: TableData) {
    this.#table = table;
    this.#data = data;
  }

  /** @throws CoppiceError `data-empty`, `data-invalid` as `readTable` does. */
  static async read(file: Blob, choices: ReadingChoices, data: TableData): Promise<OpenTable> {
    return new OpenTable(await readTable(file, choices), data);
  }

  /** The names of its columns and the reading that they came from. */
  view(): TableView {
    const { reading, rows, columns } = this.#table;
    const mapping = mapColumns(this.#table, this.#data);
    const shown = shownColumns(mapping, columns.length);
    return {
      reading,
      rows,
      columns: columns.map(({ name, kind, index }) => ({ name, kind, index })),
      shown,
      first: Array.from({ length: Math.min(FIRST_ROWS, rows) }, (_, row) =>
        shown.map((place) => shortened(columns[place]?.textAt(row) ?? '')),
      ),
      mapping,
      byOrder: mapByOrder(this.#table, this.#data),
    };
  }

  /** Tells what its rows would become. @throws CoppiceError `data-invalid` where the mapping has gaps. */
  fit(mapping: ColumnMapping, labels: LabelMap): TableFit {
    const { count, skipped, unlisted } = takeRows(this.#table, mapping, this.#data, labels);
    return { taken: count, skipped, unlisted, labels: labelUses(this.#table, mapping, this.#data, labels) };
  }

  /** Its rows as examples. @throws CoppiceError `data-invalid` where the mapping has gaps. */
  take(
    mapping: ColumnMapping,
    labels: LabelMap,
  ): { examples: RawExamples; skipped: readonly SkippedRows[]; unlisted: readonly UnlistedValues[] } {
    const {
      count,
      features,
      labels: taken,
      skipped,
      unlisted,
    } = takeRows(this.#table, mapping, this.#data, labels);
    return { examples: { count, features, labels: taken }, skipped, unlisted };
  }
}

/** The most rows of a file that are offered to ask about. */
const ASKED_ROWS = 1000;

/**
 * The rows of a file that fit, to ask the model about, with their labels where the file has them, else NaN. Columns are found
 * by name.
 *
 * @throws CoppiceError as `OpenTable.read`, and `data-invalid` where a column was not found.
 */
export async function rowsOf(
  file: Blob,
  data: TableData,
): Promise<{ readonly features: number[]; readonly label: number }[]> {
  const table = await readTable(file);
  const mapping = mapColumns(table, data);
  const labelled = mapping.target === null ? null : takeRows(table, mapping, data);
  const { count, features, labels } =
    labelled === null || labelled.count === 0 ? takeRows(table, mapping, data, 'unlabelled') : labelled;
  const size = data.features.length;
  return Array.from({ length: Math.min(count, ASKED_ROWS) }, (_, row) => ({
    features: [...features.subarray(row * size, (row + 1) * size)],
    label: labels[row] as number,
  }));
}

/** The columns of a preview: those of the task first, the target at the end, then others. */
function shownColumns({ features, target }: ColumnMapping, columns: number): number[] {
  const places = Array.from({ length: columns }, (_, place) => place);
  if (columns <= FIRST_COLUMNS) return places;
  const found = features.filter((place) => place !== null).slice(0, FIRST_COLUMNS - 1);
  const chosen = new Set([...found, ...(target === null ? [] : [target])]);
  for (const place of places) if (chosen.size < FIRST_COLUMNS) chosen.add(place);
  return places.filter((place) => chosen.has(place));
}

function shortened(text: string): string {
  return text.length > FIRST_CHARACTERS ? `${text.slice(0, FIRST_CHARACTERS)}…` : text;
}
