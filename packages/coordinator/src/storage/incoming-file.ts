import { randomBytes } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Incoming } from './spool.ts';
import { readInto, writeAll } from './spool-file.ts';

const SUFFIX = '.part';

/** A file for a payload that arrives in pieces. Its writes are positional, so they may overlap. */
export async function incomingFile(folder: string): Promise<Incoming> {
  const path = join(folder, `${randomBytes(8).toString('hex')}${SUFFIX}`);
  const file = await open(path, 'wx+');
  /** Pending writes and reads: the file must not be closed during one. */
  let busy: Promise<unknown> = Promise.resolve();
  const keep = <T>(work: Promise<T>): Promise<T> => {
    busy = Promise.allSettled([busy, work]);
    return work;
  };
  return {
    write: async (piece, at) => void (await keep(writeAll(file, [piece], at))),
    read: (into) => keep(readInto(file, into, 0)),
    async discard() {
      await busy;
      // A file that cannot be removed now is removed at the next start.
      await Promise.allSettled([file.close(), rm(path, { force: true })]);
    },
  };
}

/** Removes files that an earlier process left. The caller must hold the data folder's lock. */
export function removeIncoming(folder: string): void {
  for (const name of readdirSync(folder))
    if (name.endsWith(SUFFIX)) rmSync(join(folder, name), { force: true });
}
