import { mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { CoppiceError } from '@coppice/protocol';
import type { Kysely } from 'kysely';
import { holdBlobs } from './blob-hold.ts';
import type { BlobStore } from './blobs.ts';
import { fileBlobs } from './file-blobs.ts';
import { lockFolder } from './folder-lock.ts';
import { flushFolder, makeFolder } from './folders.ts';
import { migrate } from './migrate.ts';
import { migrations } from './migrations/index.ts';
import { blobsOpener, blobsToRead } from './open-blobs.ts';
import type { StoragePlace } from './open-storage.ts';
import { connectPostgres, DatabaseOwner, postgresFlavour } from './postgres.ts';
import { copyRecords, ensureVersion, isEmpty, namedBlobs } from './records.ts';
import type { Tables } from './schema.ts';
import { openSqlite, sqliteFlavour } from './sqlite.ts';
import { storageError } from './storage-error.ts';

export interface Copied {
  /** Number of blobs: weights, and tensors of strategies' states. */
  readonly blobs: number;
}

/**
 * Copies a coordinator's records and weights into a new folder, whether it is running or not. The records are a
 * snapshot; their weights are copied afterwards, which is safe because weights never change. The copy is a data folder
 * with SQLite and files, for any kind of storage.
 *
 * @throws CoppiceError `config-invalid` where `target` is not empty, `storage-*` where either side refuses. A failed
 *   backup leaves nothing behind.
 */
export async function backUp(place: StoragePlace, target: string): Promise<Copied> {
  const { databaseUrl, dataDir } = place;
  const to = resolve(target);
  if (!(await isFree(to)))
    throw new CoppiceError('config-invalid', `The backup cannot go to ${target}: there is something in it.`);
  if (databaseUrl === null && !(await exists(join(dataDir, 'coppice.db'))))
    throw new CoppiceError('config-invalid', `There is nothing to back up: ${dataDir} holds no coppice.db.`);
  return named(`The backup to ${target}`, async () => {
    await makeFolder(dirname(to));
    // Taken before the records are read: what they name stays until it is copied.
    const release = holdBlobs(dataDir, 'shared');
    if (release === null)
      throw new CoppiceError('storage-locked', `${dataDir} is busy deleting old weights. Try again.`);
    const aside = await mkdtemp(join(dirname(to), `.${basename(to)}-`));
    try {
      const source =
        databaseUrl === null ? openSqlite(join(dataDir, 'coppice.db')) : connectPostgres(databaseUrl);
      const copy = openSqlite(join(aside, 'coppice.db'));
      let hashes: Set<string>;
      try {
        await migrate(copy, sqliteFlavour);
        await copyAtOnce(source, copy, databaseUrl === null ? null : 'repeatable read');
        hashes = await namedBlobs(copy);
      } finally {
        await copy.destroy();
        await source.destroy();
      }
      const weights = await blobsToRead(place, dataDir);
      try {
        await copyBlobs(hashes, weights, fileBlobs(join(aside, 'blobs')));
      } finally {
        await weights.close();
      }
      await flushFolder(aside);
      await rename(aside, to);
      await flushFolder(dirname(to));
      return { blobs: hashes.size };
    } catch (thrown) {
      await rm(aside, { recursive: true, force: true });
      throw thrown;
    } finally {
      release();
    }
  });
}

/**
 * Restores a backup into an empty data folder and database, and its weights to the configured place. Weights come first
 * and records last, in one transaction, so that an interrupted restore can be run again.
 *
 * @throws CoppiceError `config-invalid` where there is no backup, or the target is not empty; `storage-corrupt` where
 *   the backup is damaged.
 */
export async function restore(source: string, place: StoragePlace): Promise<Copied> {
  const { databaseUrl, dataDir } = place;
  const openBlobs = blobsOpener(place);
  if (!(await exists(join(source, 'coppice.db'))))
    throw new CoppiceError('config-invalid', `${source} is no backup: it holds no coppice.db.`);
  return named(`The restore of ${source}`, async () => {
    await makeFolder(dataDir);
    const unlock = lockFolder(dataDir);
    const owner = databaseUrl === null ? null : await DatabaseOwner.of(databaseUrl);
    const from = openSqlite(join(source, 'coppice.db'));
    const to = databaseUrl === null ? openSqlite(join(dataDir, 'coppice.db')) : connectPostgres(databaseUrl);
    try {
      // A backup of an older program is brought to today's tables first.
      await migrate(from, sqliteFlavour);
      await migrate(to, databaseUrl === null ? sqliteFlavour : postgresFlavour);
      if (!(await isEmpty(to)))
        throw new CoppiceError(
          'config-invalid',
          'The coordinator to restore to holds runs already. Choose an empty folder with --data-dir, and with PostgreSQL an empty database.',
        );
      const hashes = await namedBlobs(from);
      const weights = await openBlobs(dataDir);
      try {
        await copyBlobs(hashes, fileBlobs(join(source, 'blobs')), weights);
      } finally {
        await weights.close();
      }
      await copyAtOnce(from, to, null);
      return { blobs: hashes.size };
    } finally {
      await from.destroy();
      await to.destroy();
      await owner?.release();
      unlock();
    }
  });
}

/** Copies a snapshot of all rows, in one transaction. */
async function copyAtOnce(
  from: Kysely<Tables>,
  to: Kysely<Tables>,
  isolation: 'repeatable read' | null,
): Promise<void> {
  const reading = from.transaction();
  await (isolation === null ? reading : reading.setIsolationLevel(isolation)).execute(async (reader) => {
    await ensureVersion(reader, migrations.length);
    await to.transaction().execute((writer) => copyRecords(reader, writer));
  });
}

/** Copies blobs. Each is verified by its checksum, so that damage is found now instead of when the copy is needed. */
async function copyBlobs(hashes: Iterable<string>, from: BlobStore, to: BlobStore): Promise<void> {
  for (const hash of hashes) await to.put(await from.get(hash));
}

async function isFree(path: string): Promise<boolean> {
  return !(await exists(path)) || (await readdir(path).catch(() => ['a file'])).length === 0;
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null;
}

async function named<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    throw storageError(thrown, what);
  }
}
