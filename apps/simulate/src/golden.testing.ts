import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { DoneEvent, RoundEvent } from './events.ts';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));

/** Runs `pnpm simulate`. @returns the SHA-256 of the last model's weights. */
export async function lastCheckpoint(flags: string): Promise<string | undefined> {
  const { stdout } = await promisify(execFile)(process.execPath, [main, '--json', ...flags.split(' ')]);
  const events = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as RoundEvent | DoneEvent);
  return events.find((event) => event.event === 'done')?.checkpoint;
}
