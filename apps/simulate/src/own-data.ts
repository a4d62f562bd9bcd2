import { openAsBlob } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { proposeModel, type RawExamples, selectExamples } from '@coppice/datasets';
import { proposePictures, readPictureFolder } from '@coppice/datasets/node';
import {
  mapByOrder,
  mapColumns,
  proposeSchema,
  readTable,
  type Table,
  takeRows,
} from '@coppice/datasets/reading';
import { type ModelFile, readModelFile } from '@coppice/model-files/files';
import { writeSafetensors } from '@coppice/model-files/safetensors';
import { seededRandom, shuffle } from '@coppice/ports';
import {
  CoppiceError,
  type CreateTask,
  CreateTaskSchema,
  type DataSchema,
  firstIssue,
  parseSafely,
  type TableData,
} from '@coppice/protocol';
import * as z from 'zod/mini';
import type { SimulatedData } from './deal.ts';
import { type SimulateOptions, UsageError } from './options.ts';

/** The share of the rows that are the test data where none are given. */
const TEST_SHARE = 0.2;
/** Files that are named where they were left out. */
const MOST_NAMED = 10;

/** Data of the person's own, with the task that it is for. */
export interface OwnData extends SimulatedData {
  readonly test: RawExamples;
  /** The task to make, where the coordinator does not have it. */
  readonly task: CreateTask;
  /** The weights of its model as a safetensors file, to be sent before the task; null: the seed draws them. */
  readonly weights: Uint8Array<ArrayBuffer> | null;
}

/**
 * Reads the file or folder of `--data`, and that of `--test`, by the schema of a task: one that the coordinator has, that of
 * `--task-file`, or one that is proposed from the file.
 *
 * @param existing the schema of the coordinator's task; `null`: the task is new.
 * @throws UsageError naming the flag; CoppiceError `data-invalid` or `data-empty`.
 */
export async function readOwnData(options: SimulateOptions, existing: DataSchema | null): Promise<OwnData> {
  const path = options.data as string;
  const given = options.taskFile === null ? null : await readTaskFile(options.taskFile);
  const notes: string[] = [];
  const known = existing ?? given?.data ?? null;
  const { data, all } = (await isFolder('--data', path))
    ? await picturesOf(path, known, notes)
    : await tableRows(path, known, options.target, notes);
  const { train, test } = await withTest(options, all.examples, data, notes);
  const file = options.model === null ? null : await readModel(options.model);
  if (file?.weights != null) notes.push(`The run begins with the weights of ${options.model}.`);
  const model = file?.topology ?? given?.model ?? proposeModel(data);
  return {
    train: selectExamples(all.examples, train),
    test,
    data,
    task: taskOf(options, { ...given, data, model }),
    weights: file?.weights == null ? null : writeSafetensors(file.weights),
    notes,
    column(name) {
      const values = all.column(name);
      return values === null ? null : train.map((row) => values[row] as string);
    },
  };
}

/** Examples, and the columns beside them. */
interface Read {
  readonly examples: RawExamples;
  column(name: string): readonly string[] | null;
}

/** @throws UsageError where there is nothing of that name. */
async function isFolder(flag: string, path: string): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  if (found === null)
    throw new UsageError(`${flag} takes a file or folder of data, and "${path}" is not there.`);
  return found.isDirectory();
}

async function tableRows(
  path: string,
  known: DataSchema | null,
  target: string | null,
  notes: string[],
): Promise<{ data: DataSchema; all: Read }> {
  if (known !== null && known.kind !== 'table')
    throw new UsageError(`--data ${path} is a table, and the task learns from pictures.`);
  const table = await readTable(await openAsBlob(path));
  const proposed = known === null ? proposeSchema(table, { target: target ?? undefined }) : null;
  for (const { name, reason } of proposed?.leftOut ?? [])
    notes.push(`The column "${name}" is no feature (${reason}).`);
  const data = known ?? (proposed as NonNullable<typeof proposed>).data;
  return { data, all: examplesOf('--data', { path, table }, data, notes) };
}

async function picturesOf(
  path: string,
  known: DataSchema | null,
  notes: string[],
): Promise<{ data: DataSchema; all: Read }> {
  const data = known ?? (await proposePictures(path));
  return { data, all: await pictureFiles('--data', path, data, notes) };
}

/** @throws UsageError where the task learns from a table. */
async function pictureFiles(flag: string, path: string, data: DataSchema, notes: string[]): Promise<Read> {
  if (data.kind !== 'image')
    throw new UsageError(`${flag} ${path} is a folder of pictures, and the task learns from a table.`);
  const { examples, skipped } = await readPictureFolder(path, data);
  notes.push(
    `${path}: ${examples.count} pictures of ${data.width} × ${data.height} in ${data.classes.length} classes.`,
    ...skipped.slice(0, MOST_NAMED).map(({ path: file, why }) => `${file} was left out: ${why}`),
  );
  if (skipped.length > MOST_NAMED) notes.push(`${skipped.length - MOST_NAMED} more files were left out.`);
  return { examples, column: () => null };
}

/** The rows of a table as examples. @throws UsageError for columns that are missing, or where no row fits. */
function examplesOf(
  flag: string,
  { path, table }: { readonly path: string; readonly table: Table },
  data: TableData,
  notes: string[],
): Read {
  const named = mapColumns(table, data);
  const isNamed = named.target !== null && named.features.every((at) => at !== null);
  const ordered = isNamed ? null : mapByOrder(table, data);
  if (ordered !== null) notes.push(`${path} has no header: its columns are taken in the order of the task.`);
  const mapping = ordered ?? named;
  const missing = [...data.features, data.target].filter(
    (_, i) => (i < data.features.length ? mapping.features[i] : mapping.target) === null,
  );
  if (missing.length > 0)
    throw new UsageError(
      `${flag} ${path} has no column ${missing.map(({ name }) => `"${name}"`).join(', ')}. Its columns are: ${table.columns.map(({ name }) => name).join(', ')}.`,
    );
  const taken = takeRows(table, mapping, data);
  const left = taken.skipped.map(
    ({ kind, count, firstRow, column, value }) =>
      `${count} × ${kind} (line ${firstRow}, column "${column}": "${value}")`,
  );
  if (taken.count === 0)
    throw new UsageError(
      `${flag} ${path}: none of its rows fits the task: ${left.join(', ') || 'it has none'}.`,
    );
  if (left.length > 0)
    notes.push(`${path}: ${taken.count} rows taken, the others left out: ${left.join(', ')}.`);
  const examples: RawExamples = { count: taken.count, features: taken.features, labels: taken.labels };
  return {
    examples,
    column(name: string) {
      const values = columnBeside(name, table, mapping, data);
      if (values === null || values.length === taken.count) return values;
      throw new UsageError(
        `--partition HOW: the column "${name}" of ${path} has empty cells, and its rows belong to nobody.`,
      );
    },
  };
}

/** The values of any column of the file, for the rows that are examples, as text; `null` where there is none. */
function columnBeside(
  name: string,
  table: Table,
  mapping: ReturnType<typeof mapColumns>,
  data: TableData,
): readonly string[] | null {
  const at = table.columns.findIndex((column) => column.name === name);
  const texts = table.columns[at]?.blocks.texts;
  if (texts === undefined) return null;
  // A further column of categories goes through the same rows.
  const values = [...new Set(texts)];
  const feature = { kind: 'category' as const, name, values };
  const wider = takeRows(
    table,
    { ...mapping, features: [...mapping.features, at] },
    { ...data, features: [...data.features, feature] },
  );
  const size = data.features.length + 1;
  return Array.from(
    { length: wider.count },
    (_, row) => values[wider.features[row * size + size - 1] as number] ?? '',
  );
}

/** The rows to train on and the test data: a file of its own, or a fifth of the rows, drawn from the seed. */
async function withTest(
  options: SimulateOptions,
  all: RawExamples,
  data: DataSchema,
  notes: string[],
): Promise<{ train: number[]; test: RawExamples }> {
  const rows = [...Array(all.count).keys()];
  if (options.test !== null) {
    const path = options.test;
    const isPictures = await isFolder('--test', path);
    if (!isPictures && data.kind !== 'table')
      throw new UsageError(`--test ${path} is a file, and the task learns from pictures: give a folder.`);
    const { examples } =
      isPictures || data.kind !== 'table'
        ? await pictureFiles('--test', path, data, notes)
        : examplesOf('--test', { path, table: await readTable(await openAsBlob(path)) }, data, notes);
    return { train: rows, test: examples };
  }
  const drawn = shuffle(rows, seededRandom(options.plan.seed, 'test data'));
  const size = Math.max(1, Math.round(TEST_SHARE * all.count));
  if (size >= all.count)
    throw new UsageError(
      `--data ${options.data} has ${all.count} examples, too few to test with a fifth of them.`,
    );
  const inOrder = (part: number[]) => part.sort((a, b) => a - b);
  notes.push(`${size} of ${all.count} examples are the test data; --test gives others.`);
  return { train: inOrder(drawn.slice(size)), test: selectExamples(all, inOrder(drawn.slice(0, size))) };
}

/** The parts of a task that `--task-file` gives: a task as JSON, or its data schema alone. */
async function readTaskFile(path: string): Promise<Partial<CreateTask>> {
  const json = await readJson('--task-file', path);
  const whole = 'data' in json ? json : { data: json };
  const partial = { ...placeholder, ...whole, model: whole['model'] ?? placeholder.model };
  const known = Object.fromEntries(
    Object.entries(partial).filter(([key]) => key in CreateTaskSchema.def.shape),
  );
  const parsed = parseSafely(CreateTaskSchema, known);
  if (!parsed.success)
    throw new UsageError(`--task-file ${path} is no valid task: ${firstIssue(parsed.error)}.`);
  const { id, title, description, model, ...rest } = parsed.data;
  return {
    ...rest,
    ...('id' in whole ? { id } : {}),
    ...('title' in whole ? { title } : {}),
    ...('description' in whole ? { description } : {}),
    ...('model' in whole ? { model } : {}),
  };
}

const placeholder = {
  id: 'x',
  title: { en: 'x' },
  description: { en: 'x' },
  model: { class_name: 'Sequential', config: {} },
};

/** @throws UsageError where a file cannot be read; CoppiceError `model-invalid` with the reason. */
async function readModel(path: string): Promise<ModelFile> {
  const read = async (file: string) => {
    try {
      return { name: basename(file), bytes: new Uint8Array(await readFile(file)) };
    } catch (cause) {
      throw new UsageError(`--model ${path}: ${file} cannot be read: ${(cause as Error).message}.`, {
        cause,
      });
    }
  };
  const first = await read(path);
  const shards = await Promise.all(shardsOf(first.bytes).map((name) => read(join(dirname(path), name))));
  return readModelFile([first, ...shards]);
}

const ManifestSchema = z.looseObject({
  weightsManifest: z.array(z.looseObject({ paths: z.array(z.string()) })),
});

/** The names of the files of weights beside a `model.json`; none for other files. */
function shardsOf(bytes: Uint8Array): readonly string[] {
  if (bytes[0] !== '{'.charCodeAt(0)) return [];
  try {
    const manifest = ManifestSchema.safeParse(JSON.parse(new TextDecoder().decode(bytes)));
    return manifest.success ? manifest.data.weightsManifest.flatMap(({ paths }) => paths) : [];
  } catch {
    // Told by what reads it.
    return [];
  }
}

async function readJson(flag: string, path: string): Promise<Record<string, unknown>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new UsageError(`${flag} ${path} cannot be read: ${(cause as Error).message}.`, { cause });
  }
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json === 'object' && json !== null && !Array.isArray(json))
      return json as Record<string, unknown>;
  } catch (cause) {
    throw new UsageError(`${flag} ${path} is no JSON: ${(cause as Error).message}.`, { cause });
  }
  throw new UsageError(`${flag} ${path} is no JSON object.`);
}

function taskOf(
  options: SimulateOptions,
  given: Partial<CreateTask> & Pick<CreateTask, 'data' | 'model'>,
): CreateTask {
  const path = options.data as string;
  const name = basename(path, extname(path));
  const slug = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  const parsed = parseSafely(CreateTaskSchema, {
    // Built-in tasks have names such as iris.
    id: options.taskGiven ? options.task : `own-${slug === '' ? 'data' : slug}`.slice(0, 63),
    title: { en: name },
    description: { en: `Simulation on ${basename(path)}.` },
    ...given,
  });
  if (parsed.success) return parsed.data;
  throw new CoppiceError('task-invalid', `The task of ${path} is not valid: ${firstIssue(parsed.error)}.`);
}
