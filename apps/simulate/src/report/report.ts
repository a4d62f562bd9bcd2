import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CoppiceError } from '@coppice/protocol';
import type { DoneEvent, RoundEvent } from '../events.ts';
import { type Flags, publicFlags, repeatCommand } from './flags.ts';
import { reportPage } from './page.ts';
import type { Partition } from './partition-charts.ts';
import { roundsCsv } from './rounds-csv.ts';

export interface ReportInput {
  /** The flags as used, in camelCase or as on the command line. An admin key is never written. */
  readonly options: Flags;
  readonly task: { readonly id: string; readonly title: string };
  /** Number of the model's parameters. */
  readonly parameters: number;
  readonly rounds: readonly RoundEvent[];
  readonly done: DoneEvent;
  readonly partition: Partition;
  readonly machine: {
    readonly node: string;
    readonly cpu: string;
    readonly cores: number;
    readonly memoryGiB: number;
    readonly platform: string;
  };
  /** Milliseconds since 1970, UTC. */
  readonly startedAt: number;
}

/**
 * Writes `report.html` (one self-contained page), `rounds.csv` and `report.json` into `dir`, which is created where
 * missing; files of an earlier report are replaced.
 *
 * @returns the paths of the three files.
 * @throws CoppiceError `storage-failed` where the folder cannot be written.
 */
export async function writeReport(dir: string, input: ReportInput): Promise<string[]> {
  const files = {
    'report.html': reportPage(input),
    'rounds.csv': roundsCsv(input.rounds),
    'report.json': reportJson(input),
  };
  try {
    await mkdir(dir, { recursive: true });
    for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text);
  } catch (cause) {
    throw new CoppiceError(
      'storage-failed',
      `The report could not be written to ${dir}: ${(cause as Error).message}. The simulation itself is complete; give --report a folder that can be written and run it again for the report.`,
      { cause },
    );
  }
  return Object.keys(files).map((name) => join(dir, name));
}

/** Everything on the page, with each round and each client on a line of its own. */
function reportJson({ options, startedAt, partition, ...rest }: ReportInput): string {
  const { rounds, ...parts } = {
    startedAt: new Date(startedAt).toISOString(),
    command: repeatCommand(options),
    options: publicFlags(options),
    ...rest,
  };
  const lines = Object.entries(parts).map(
    ([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`,
  );
  const { perClient, classesPerClient } = partition;
  lines.push(
    `"rounds": ${list(rounds)}`,
    `"partition": {"perClient": ${JSON.stringify(perClient)}, "classesPerClient": ${classesPerClient === null ? 'null' : list(classesPerClient)}}`,
  );
  return `{\n${lines.join(',\n')}\n}\n`;
}

function list(items: readonly unknown[]): string {
  return items.length === 0 ? '[]' : `[\n${items.map((item) => JSON.stringify(item)).join(',\n')}\n]`;
}
