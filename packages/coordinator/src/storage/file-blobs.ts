import { randomBytes } from 'node:crypto';
import { open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type BlobStore, damaged, hashInSlices, missing } from './blobs.ts';
import { flushFolder, makeFolder } from './folders.ts';
import { storageError } from './storage-error.ts';

const HASH = /^[0-9a-f]{64}$/;

/**
 * Blobs as files, `ab/cdef…`. A file is written under another name, flushed and renamed, and then its folder is
 * flushed, so that no partial file has a blob's name, and a stored one survives a loss of power.
 *
 * @param flush false for a temporary folder: nothing waits for the disk.
 */
export function fileBlobs(folder: string, flush = true): BlobStore {
  const pathOf = (hash: string) => join(folder, hash.slice(0, 2), hash.slice(2));
  const named = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (thrown) {
      throw storageError(thrown, `The weights folder ${folder}`);
    }
  };

  return {
    put: (bytes) =>
      named(async () => {
        const hash = await hashInSlices(bytes);
        const path = pathOf(hash);
        // An existing file may be damaged: it counts as this content only after it has been read.
        const there = await readFile(path).catch(unlessMissing);
        if (there !== null && (await hashInSlices(there)) === hash) return hash;
        await makeFolder(dirname(path));
        const aside = `${path}.${randomBytes(6).toString('hex')}.part`;
        try {
          const file = await open(aside, 'wx');
          try {
            await file.writeFile(bytes);
            if (flush) await file.sync();
          } finally {
            await file.close();
          }
          await rename(aside, path);
        } catch (thrown) {
          await rm(aside, { force: true }).catch(() => {});
          throw thrown;
        }
        if (flush) await flushFolder(dirname(path));
        return hash;
      }),
    get: (hash) =>
      named(async () => {
        const path = pathOf(hash);
        const bytes = await readFile(path).catch(unlessMissing);
        if (bytes === null) throw missing(hash);
        if ((await hashInSlices(bytes)) !== hash) throw damaged(hash, path, bytes.byteLength);
        return bytes;
      }),
    has: (hash) => named(async () => (await stat(pathOf(hash)).catch(unlessMissing)) !== null),
    delete: (hash) => named(() => rm(pathOf(hash), { force: true })),
    async *list() {
      for (const { name } of await named(() => files(folder))) if (HASH.test(name)) yield name;
    },
    async close() {},
  };
}

/** Removes partial files that a crash left. The caller must hold the folder's lock. */
export async function removeUnfinished(folder: string): Promise<void> {
  for (const { name, path } of await files(folder))
    if (name.endsWith('.part')) await rm(path, { force: true });
}

/** Lists every file two levels down, its name joined from both. */
async function files(folder: string): Promise<{ name: string; path: string }[]> {
  const found: { name: string; path: string }[] = [];
  for (const start of (await readdir(folder).catch(unlessMissing)) ?? []) {
    if (!/^[0-9a-f]{2}$/.test(start)) continue;
    for (const rest of await readdir(join(folder, start)))
      found.push({ name: start + rest, path: join(folder, start, rest) });
  }
  return found;
}

function unlessMissing(thrown: unknown): null {
  if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return null;
  throw thrown;
}
