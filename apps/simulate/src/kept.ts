import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CoppiceError } from '@coppice/protocol';
import * as z from 'zod/mini';
import { ensureFolder } from './folder.ts';
import { reported, type SimulateOptions, UsageError } from './options.ts';

const NAME = 'simulation.json';
/** Flags without effect on the result: they may differ from start to start. */
const FREE = ['json', 'report', 'processes', 'dataDir', 'adminKey', 'invitation', 'url', 'run'];

const KeptSchema = z.looseObject({
  version: z.literal(1),
  flags: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
});

/**
 * Opens the folder of `--data-dir`: makes it for a new simulation, and checks that one that is kept there has the same
 * flags.
 *
 * @returns true where the simulation was begun before.
 * @throws UsageError naming the first flag that differs; CoppiceError `storage-failed`.
 */
export function openKept(dir: string, options: SimulateOptions): boolean {
  const all = Object.entries(reported(options)).filter(([name]) => !FREE.includes(name));
  const flags = Object.fromEntries(all.map(([name, value]) => [name, value ?? null]));
  const path = join(dir, NAME);
  try {
    ensureFolder(dir);
    if (existsSync(path)) {
      const kept = KeptSchema.safeParse(JSON.parse(readFileSync(path, 'utf8')));
      if (!kept.success)
        throw new UsageError(
          `--data-dir DIR: ${path} is not of a simulation, or of another version of Coppice.`,
        );
      for (const name of new Set([...Object.keys(kept.data.flags), ...Object.keys(flags)])) {
        const [before, now] = [kept.data.flags[name] ?? null, flags[name] ?? null];
        if (before === now) continue;
        const words = (value: unknown) => (value === null ? 'none' : `"${String(value)}"`);
        throw new UsageError(
          `--data-dir ${dir} keeps a simulation with ${flagName(name)} ${words(before)}, not ${words(now)}. Give the flags that it began with, or another folder.`,
        );
      }
      return true;
    }
    writeFileSync(`${path}.new`, `${JSON.stringify({ version: 1, flags }, null, 1)}\n`);
    renameSync(`${path}.new`, path);
    return false;
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw new CoppiceError(
      'storage-failed',
      `--data-dir ${dir} cannot be used: ${(cause as Error).message}. Give a folder that can be written.`,
      { cause },
    );
  }
}

function flagName(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
