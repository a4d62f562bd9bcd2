import { openAsBlob } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { proposeModel, type RawExamples, selectExamples } from '@coppice/datasets';
import {
  mapByOrder,
  mapColumns,
  proposeSchema,
  readTable,
  type Table,
  takeRows,
} from '@coppice/datasets/reading';
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
import type { SimulatedData } from './deal.ts';
import { type SimulateOptions, UsageError } from './options.ts';

/** The share of the rows that are the test data where none are given. */
const TEST_SHARE = 0.2;

/** Data of the person's own, with the task that it is for. */
export interface OwnData extends SimulatedData {
  readonly test: RawExamples;
  /** The task to make, where the coordinator does not have it. */
  readonly task: CreateTask;
}

/**
 * Reads the file of `--data`, and that of `--test`, by the schema of a task: one that the coordinator has, that of
 * `--task-file`, or one that is proposed from the file.
 *
 * @param existing the schema of the coordinator's task; `null`: the task is new.
 * @throws UsageError naming the flag; CoppiceError `data-invalid` or `data-empty`.
 */
export async function readOwnData(options: SimulateOptions, existing: DataSchema | null): Promise<OwnData> {
  const path = options.data as string;
  const given = options.taskFile === null ? null : await readTaskFile(options.taskFile);
  const table = await tableOf('--data', path);
  const proposed =
    existing === null && given?.data === undefined
      ? proposeSchema(table, { target: options.target ?? undefined })
      : null;
  const data = existing ?? given?.data ?? proposed?.data;
  if (data?.kind !== 'table')
    throw new UsageError(`--data ${path} is a table, and the task learns from pictures.`);
  const notes = (proposed?.leftOut ?? []).map(
    ({ name, reason }) => `The column "${name}" is no feature (${reason}).`,
  );
  const all = examplesOf('--data', { path, table }, data, notes);
  const { train, test } = await withTest(options, all.examples, data, notes);
  const model =
    options.model === null ? (given?.model ?? proposeModel(data)) : await readModel(options.model);
  return {
    train: selectExamples(all.examples, train),
    test,
    data,
    task: taskOf(options, { ...given, data, model }),
    notes,
    column(name) {
      const values = all.column(name);
      return values === null ? null : train.map((row) => values[row] as string);
    },
  };
}

async function tableOf(flag: string, path: string): Promise<Table> {
  const found = await stat(path).catch(() => null);
  if (found === null) throw new UsageError(`${flag} takes a file of data, and "${path}" is not there.`);
  if (found.isDirectory())
    throw new UsageError(`${flag} takes a file with a table, and "${path}" is a folder.`);
  return readTable(await openAsBlob(path));
}

/** The rows of a table as examples. @throws UsageError for columns that are missing, or where no row fits. */
function examplesOf(
  flag: string,
  { path, table }: { readonly path: string; readonly table: Table },
  data: TableData,
  notes: string[],
) {
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
  data: TableData,
  notes: string[],
): Promise<{ train: number[]; test: RawExamples }> {
  const rows = [...Array(all.count).keys()];
  if (options.test !== null) {
    const table = await tableOf('--test', options.test);
    return { train: rows, test: examplesOf('--test', { path: options.test, table }, data, notes).examples };
  }
  const drawn = shuffle(rows, seededRandom(options.plan.seed, 'test data'));
  const size = Math.max(1, Math.round(TEST_SHARE * all.count));
  if (size >= all.count)
    throw new UsageError(
      `--data ${options.data} has ${all.count} rows, too few to test with a fifth of them.`,
    );
  const inOrder = (part: number[]) => part.sort((a, b) => a - b);
  notes.push(`${size} of ${all.count} rows are the test data; --test FILE gives others.`);
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

async function readModel(path: string): Promise<CreateTask['model']> {
  const json = await readJson('--model', path);
  if (!('modelTopology' in json) && !('class_name' in json))
    throw new UsageError(
      `--model FILE takes a model.json of tfjs or Keras, and ${path} has neither "modelTopology" nor "class_name".`,
    );
  return json as CreateTask['model'];
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
