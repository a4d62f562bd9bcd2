import { openAsBlob } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { print, standardError, surviveBrokenStreams } from '@coppice/coordinator/process';
import { builtInTask } from '@coppice/datasets';
import { inspectFile } from '@coppice/datasets/reading';
import { CoppiceError, DataSchemaSchema, type TableData } from '@coppice/protocol';
import { UsageError } from '../flag.ts';
import { dataUsage, type InspectOptions, readDataOptions } from './options.ts';
import { inspectionText } from './text.ts';

const EXIT = { done: 0, failed: 1, usage: 2, nothingTaken: 3 } as const;

/** `pnpm data`. */
async function main(): Promise<number> {
  const options = readDataOptions(process.argv.slice(2));
  if (options === 'help') return print(dataUsage());
  const data = options.task === null ? undefined : await schemaOf(options.task);
  const inspected = await inspectFile(await openFile(options.file), {
    data,
    target: options.target ?? undefined,
    choices: options.choices,
  });
  const written = await print(
    options.json ? `${JSON.stringify(inspected.inspection)}\n` : inspectionText(inspected, options.file),
  );
  if (written !== EXIT.done) return written;
  return inspected.inspection.rows.taken > 0 ? EXIT.done : EXIT.nothingTaken;
}

/** @throws UsageError where there is no such file. */
async function openFile(path: InspectOptions['file']): Promise<Blob> {
  const found = await stat(path).catch(() => null);
  if (found === null || !found.isFile())
    throw new UsageError(
      `FILE takes a file of data, and "${path}" is ${found === null ? 'not there' : 'no file'}.`,
    );
  return openAsBlob(path);
}

/** The schema of a built-in task, or of the JSON of a task, or of its `data` alone. @throws UsageError */
async function schemaOf(task: string): Promise<TableData> {
  const wrong = (why: string) =>
    new UsageError(`--task takes a built-in task or a file with one as JSON; "${task}" ${why}.`);
  let data: unknown = builtInTask(task)?.data;
  if (data === undefined) {
    const text = await readFile(task, 'utf8').catch(() => {
      throw wrong('is neither');
    });
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      throw wrong('is no JSON');
    }
    data = typeof json === 'object' && json !== null && 'data' in json ? json.data : json;
  }
  const parsed = DataSchemaSchema.safeParse(data);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw wrong(`has no valid data schema: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim());
  }
  if (parsed.data.kind !== 'table') throw wrong('learns from pictures, not from tables');
  return parsed.data;
}

surviveBrokenStreams();
main().then(
  (code) => {
    process.exitCode = code;
  },
  (thrown: unknown) => {
    if (thrown instanceof UsageError) {
      process.exitCode = EXIT.usage;
      standardError.write(`${thrown.message}\n`);
      return;
    }
    const error = CoppiceError.from(thrown);
    process.exitCode = error.code.startsWith('data-') ? EXIT.nothingTaken : EXIT.failed;
    standardError.write(`${error.message} [${error.code}]\n`);
    if (error.code === 'internal' && error.cause instanceof Error)
      standardError.write(`${error.cause.stack}\n`);
  },
);
