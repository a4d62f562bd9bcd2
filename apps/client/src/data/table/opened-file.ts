import type { ColumnMapping, LabelMap, ReadingChoices } from '@coppice/datasets/reading';
import { CoppiceError, type WireError } from '@coppice/protocol';
import { signal } from '@preact/signals';
import { participant } from '../../link/participant.ts';
import { chosenTask } from '../../run/run.ts';
import type { TableFit, TableView } from '../../worker/open-table.ts';
import { change } from '../data.ts';
import { isComplete } from './column-mapping.tsx';
import { keepLabels, keptLabels } from './kept-labels.ts';

/** A file that was read and not added yet. */
export interface OpenedFile {
  readonly file: File;
  readonly choices: ReadingChoices;
  readonly view: TableView;
  readonly mapping: ColumnMapping;
  readonly labels: LabelMap;
  /** True where the labels are those of an earlier file with the same columns. */
  readonly labelsKept: boolean;
  /** What its rows would become; `null` until columns are chosen and the rows checked. */
  readonly fit: TableFit | null;
}

/** The rows of a file that were added. */
export type Taken = Pick<TableFit, 'taken' | 'skipped' | 'unlisted'>;

/** The outcome of a file: its rows, or the reason why it cannot be read. */
export type Outcome = { readonly file: string } & (
  | { readonly kind: 'taken'; readonly rows: Taken }
  | { readonly kind: 'refused'; readonly error: WireError }
);

/** The file that is open, and those that come after it. */
export const opened = signal<OpenedFile | null>(null);
export const waiting = signal<readonly File[]>([]);
/** The outcomes of the files since the last choice. */
export const outcomes = signal<readonly Outcome[]>([]);

/** Opens files one after another; the others wait. */
export async function openFiles(files: readonly File[]): Promise<void> {
  outcomes.value = [];
  waiting.value = files.slice(1);
  const [first] = files;
  if (first !== undefined) await open(first, {});
}

/** Reads the open file in another way. */
export async function readAgain(choices: ReadingChoices): Promise<void> {
  const now = opened.value;
  if (now !== null) await open(now.file, choices, now);
}

/** Forgets the open file and those that wait; for another task. */
export function forgetFiles(): void {
  opened.value = null;
  waiting.value = [];
  outcomes.value = [];
}

/** Leaves the open file out, and opens the next. */
export async function closeFile(): Promise<void> {
  opened.value = null;
  await participant().closeTable();
  const [next, ...others] = waiting.value;
  waiting.value = others;
  if (next !== undefined) await open(next, {});
}

/** Takes other columns, and checks the rows with them. */
export async function chooseColumns(mapping: ColumnMapping): Promise<void> {
  await check((now) => ({ ...now, mapping, fit: null }));
}

/** Takes other classes for labels, and checks the rows with them. */
export async function chooseLabels(labels: LabelMap): Promise<void> {
  await check((now) => ({ ...now, labels, labelsKept: false }));
}

/** Adds the rows of the open file that fit. */
export async function addFile(): Promise<void> {
  const now = opened.value;
  if (now === null) return;
  const added = await change(() => participant().addTable(now.mapping, now.labels));
  if (added === undefined) return;
  keepLabels(chosenTask.value?.id ?? '', namesOf(now.view), now.labels);
  const { skipped, unlisted } = added;
  tell({ file: now.file.name, kind: 'taken', rows: { taken: added.added, skipped, unlisted } });
  await closeFile();
}

async function open(file: File, choices: ReadingChoices, before: OpenedFile | null = null): Promise<void> {
  const view = await change(() => participant().openTable(file, choices).catch(refusal));
  if (view === undefined) return;
  if (view instanceof CoppiceError) {
    tell({ file: file.name, kind: 'refused', error: view.toWire() });
    // Where another way of reading finds nothing, the way before is taken again.
    if (before === null) await closeFile();
    else await open(file, before.choices);
    return;
  }
  const labels = before?.labels ?? keptLabels(chosenTask.value?.id ?? '', namesOf(view));
  const labelsKept = before?.labelsKept ?? Object.keys(labels).length > 0;
  opened.value = { file, choices, view, mapping: view.mapping, labels, labelsKept, fit: null };
  await check((now) => now);
}

function tell(outcome: Outcome): void {
  outcomes.value = [...outcomes.value, outcome];
}

/** The error that lies in the file; others are thrown on. */
function refusal(thrown: unknown): CoppiceError {
  const error = CoppiceError.from(thrown);
  if (error.code === 'data-invalid' || error.code === 'data-empty') return error;
  throw error;
}

async function check(next: (now: OpenedFile) => OpenedFile): Promise<void> {
  if (opened.value === null) return;
  const now = next(opened.value);
  opened.value = now;
  if (!isComplete(now.mapping)) return;
  const fit = await change(() => participant().fitTable(now.mapping, now.labels));
  if (opened.value === now && fit !== undefined) opened.value = { ...now, fit };
}

function namesOf({ columns }: TableView): string[] {
  return columns.map(({ name }) => name);
}
