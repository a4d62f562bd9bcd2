import { readFileSync } from 'node:fs';
import * as z from 'zod/mini';
import { UsageError } from './flag.ts';

/** One line of a trace: how some clients behave in some rounds. */
const EntrySchema = z.strictObject({
  /** Counted from 1, as in the report; left out: all clients. */
  client: z.optional(z.int().check(z.minimum(1))),
  /** The first and the last round, counted from 1; left out: from the first, and to the last. */
  from: z.optional(z.int().check(z.minimum(1))),
  to: z.optional(z.int().check(z.minimum(1))),
  /** Factor of the time that the client's training takes; 1: as fast as this machine. */
  slowdown: z.optional(z.number().check(z.minimum(1), z.maximum(1000))),
  /** Chance that the client answers when it is asked; 0: it is away. */
  available: z.optional(z.number().check(z.minimum(0), z.maximum(1))),
});
const TraceSchema = z.array(EntrySchema).check(z.maxLength(1_000_000));
export type Trace = z.infer<typeof TraceSchema>;

/** A client's behaviour in a round. */
export interface Behaviour {
  readonly slowdown: number;
  readonly available: number;
}

const COLUMNS = ['client', 'from', 'to', 'slowdown', 'available'] as const;
const FORM = `a CSV file with the columns ${COLUMNS.join(',')}, of which any may be left out or empty, or a JSON list of objects with these keys`;

/**
 * Reads a trace from a CSV or JSON file.
 *
 * @throws UsageError naming the flag, and the line of the file where there is one.
 */
export function readTrace(path: string): Trace {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  } catch (cause) {
    throw new UsageError(`--trace FILE: ${path} cannot be read: ${(cause as Error).message}.`, { cause });
  }
  return parseTrace(text, path);
}

/** @throws UsageError naming the flag and the file. */
export function parseTrace(text: string, path: string): Trace {
  const isJson = text.trimStart().startsWith('[');
  const parsed = TraceSchema.safeParse(isJson ? readJson(text, path) : readCsv(text, path));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const [at, key] = issue?.path ?? [];
  const place = typeof at === 'number' ? `${isJson ? 'entry' : 'line'} ${at + (isJson ? 1 : 2)}` : 'the file';
  throw new UsageError(
    `--trace FILE takes ${FORM}. In ${path}, ${place}${key === undefined ? '' : `, ${String(key)}`}: ${issue?.message}.`,
  );
}

/** A client's behaviour in a round, both counted from 1. Of several entries that state a value the last counts. */
export function behaviourOf(trace: Trace, client: number, round: number): Behaviour {
  let slowdown = 1;
  let available = 1;
  for (const entry of trace) {
    if (entry.client !== undefined && entry.client !== client) continue;
    if (round < (entry.from ?? 1) || round > (entry.to ?? Number.POSITIVE_INFINITY)) continue;
    slowdown = entry.slowdown ?? slowdown;
    available = entry.available ?? available;
  }
  return { slowdown, available };
}

function readJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`--trace FILE: ${path} is no valid JSON: ${(cause as Error).message}.`, { cause });
  }
}

function readCsv(text: string, path: string): unknown {
  const [header, ...lines] = text.split(/\r\n|\r|\n/);
  const names = (header ?? '').split(',').map((name) => name.trim());
  const unknown = names.find((name) => !COLUMNS.some((column) => column === name));
  if (unknown !== undefined)
    throw new UsageError(`--trace FILE takes ${FORM}. ${path} has the column "${unknown.slice(0, 40)}".`);
  return lines
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const fields = line.split(',');
      const given = names.flatMap((name, index) => {
        const field = fields[index]?.trim() ?? '';
        return field === '' || field === '*' ? [] : [[name, Number(field)] as const];
      });
      return Object.fromEntries(given);
    });
}
