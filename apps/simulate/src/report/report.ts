import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CoppiceError } from '@coppice/protocol';
import type { LayersModel } from '../coordinator-link.ts';
import type { DoneEvent, RoundEvent } from '../events.ts';
import type { Fairness } from '../fairness.ts';
import { ensureFolder } from '../folder.ts';
import { type Flags, publicFlags, repeatCommand } from './flags.ts';
import { reportPage } from './page.ts';
import type { PartitionDescription } from './partition-charts.ts';
import { type CsvForm, csvHeader, csvLine, roundsCsv } from './rounds-csv.ts';

export interface ReportInput {
  /** The flags as used, in camelCase or as on the command line. Secrets are never written. */
  readonly options: Flags;
  readonly task: { readonly id: string; readonly title: string };
  /** Number of the model's parameters. */
  readonly parameters: number;
  readonly rounds: readonly RoundEvent[];
  /** Planned rounds. */
  readonly planned: number;
  readonly done: DoneEvent;
  /** The way in which the simulation ended before its time, and why; null where it did not. */
  readonly early: { readonly how: 'interrupted' | 'failed'; readonly reason: string } | null;
  readonly partition: PartitionDescription;
  readonly fairness: Fairness | null;
  /** True where the last model is beside the page. */
  readonly hasModel: boolean;
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

/** The folder of a report: the rounds are written as they end, the page and the model at the end. */
export class Report {
  readonly #dir: string;
  readonly #form: CsvForm;
  #trouble: Error | null = null;

  /**
   * Makes the folder and begins its files, so that one that cannot be written is known before anything is trained. Files
   * of an earlier report are replaced.
   *
   * @param form the columns of the task's rounds.
   * @throws CoppiceError `storage-failed`
   */
  constructor(dir: string, form: CsvForm) {
    this.#dir = dir;
    this.#form = form;
    try {
      ensureFolder(dir);
      writeFileSync(join(dir, 'rounds.jsonl'), '');
      writeFileSync(join(dir, 'rounds.csv'), csvHeader(form));
    } catch (cause) {
      throw new CoppiceError(
        'storage-failed',
        `--report ${dir} cannot be written: ${(cause as Error).message}. Nothing was trained; give a folder that can be written.`,
        { cause },
      );
    }
  }

  /** Adds a round to `rounds.jsonl` and `rounds.csv`. A failure is told at the end. */
  round(event: RoundEvent): void {
    try {
      appendFileSync(join(this.#dir, 'rounds.jsonl'), `${JSON.stringify(event)}\n`);
      appendFileSync(join(this.#dir, 'rounds.csv'), csvLine(event, this.#form));
    } catch (thrown) {
      this.#trouble ??= thrown as Error;
    }
  }

  /**
   * Writes `report.html` (one self-contained page), `report.json`, and the model as `model.json` and `weights.bin`, as
   * tfjs loads it; rounds that could not be written before are written now.
   *
   * @returns the paths of the files.
   * @throws CoppiceError `storage-failed`
   */
  finish(
    input: ReportInput,
    model: { readonly topology: LayersModel; readonly weights: Uint8Array } | null,
  ): string[] {
    const files: Record<string, string | Uint8Array> = {
      'report.html': reportPage(input),
      'report.json': reportJson(input),
      ...(model === null
        ? {}
        : { 'model.json': JSON.stringify(model.topology), 'weights.bin': model.weights }),
    };
    if (this.#trouble !== null) {
      files['rounds.csv'] = roundsCsv(input.rounds, this.#form);
      files['rounds.jsonl'] = input.rounds.map((round) => `${JSON.stringify(round)}\n`).join('');
    }
    try {
      for (const [name, content] of Object.entries(files)) writeFileSync(join(this.#dir, name), content);
    } catch (cause) {
      throw new CoppiceError(
        'storage-failed',
        `The report could not be written to ${this.#dir}: ${(cause as Error).message}. Make room there; the rounds up to then are in rounds.jsonl.`,
        { cause },
      );
    }
    return [...new Set([...Object.keys(files), 'rounds.csv', 'rounds.jsonl'])].map((name) =>
      join(this.#dir, name),
    );
  }
}

/** Everything on the page, with each round and each client on a line of its own. */
function reportJson({ options, startedAt, partition, fairness, ...rest }: ReportInput): string {
  const { rounds, ...parts } = {
    startedAt: new Date(startedAt).toISOString(),
    command: repeatCommand(options),
    options: publicFlags(options),
    ...rest,
  };
  const { heterogeneity, featureHeterogeneity, ...counts } = partition;
  return `{\n${[
    ...Object.entries(parts).map(([key, value]) => member(key, value)),
    `"rounds": ${list(rounds)}`,
    `"partition": ${object(counts)}`,
    `"heterogeneity": ${JSON.stringify({ ...heterogeneity, perParticipant: undefined })}`,
    `"featureHeterogeneity": ${JSON.stringify(featureHeterogeneity === null ? null : { ...featureHeterogeneity, perParticipant: undefined })}`,
    `"fairness": ${fairness === null ? 'null' : object({ ...fairness })}`,
  ].join(',\n')}\n}\n`;
}

function member(key: string, value: unknown): string {
  return `${JSON.stringify(key)}: ${JSON.stringify(value)}`;
}

/** An object whose lists of lists or objects have an item a line. */
function object(value: Record<string, unknown>): string {
  const members = Object.entries(value).map(([key, one]) =>
    Array.isArray(one) && typeof one[0] === 'object'
      ? `${JSON.stringify(key)}: ${list(one)}`
      : member(key, one),
  );
  return `{${members.join(', ')}}`;
}

function list(items: readonly unknown[]): string {
  return items.length === 0 ? '[]' : `[\n${items.map((item) => JSON.stringify(item)).join(',\n')}\n]`;
}
