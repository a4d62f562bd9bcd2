import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { REST_TIMEOUT } from '@coppice/protocol';
import { Kysely } from 'kysely';
import { holdBlobs } from './blob-hold.ts';
import type { BlobStore } from './blobs.ts';
import { lockFolder } from './folder-lock.ts';
import { makeFolder } from './folders.ts';
import type { Flavour } from './migrations/migration.ts';
import { nodeSqliteDialect } from './node-sqlite-dialect.ts';
import { type OpenBlobs, openFileBlobs } from './open-blobs.ts';
import type { Tables } from './schema.ts';
import { sqlStorage } from './sql.ts';
import type { Storage } from './storage.ts';
import { storageError } from './storage-error.ts';

export const sqliteFlavour: Flavour = { text: 'text', numbered: (column) => column.autoIncrement() };

/**
 * The embedded default: one folder with `coppice.db` (SQLite) and `blobs/`, or its weights elsewhere. It is locked for
 * this process until it is closed.
 *
 * @param flush false for a temporary folder: commits do not wait for the disk.
 * @throws CoppiceError `storage-*` where the folder cannot be used.
 */
export async function openSqliteStorage(
  folder: string,
  openBlobs: OpenBlobs = openFileBlobs,
  flush = true,
): Promise<Storage> {
  let unlock = () => {};
  let blobs: BlobStore | null = null;
  try {
    await makeFolder(folder);
    unlock = lockFolder(folder);
    blobs = await openBlobs(folder);
    const db = openSqlite(join(folder, 'coppice.db'), flush);
    return await sqlStorage(db, {
      blobs,
      deleting: () => holdBlobs(folder, 'exclusive'),
      flavour: sqliteFlavour,
      where: `The database in ${folder}`,
      closed: unlock,
    });
  } catch (thrown) {
    await blobs?.close();
    unlock();
    throw storageError(thrown, `The data folder ${folder}`);
  }
}

/** Opens the records alone, without a lock. */
export function openSqlite(path: string, flush = true): Kysely<Tables> {
  const database = new DatabaseSync(path);
  try {
    // WAL with full sync: a commit that returned survives loss of power.
    database.exec(
      `pragma journal_mode = wal; pragma synchronous = ${flush ? 'full' : 'off'}; pragma busy_timeout = ${REST_TIMEOUT};`,
    );
  } catch (thrown) {
    database.close();
    throw thrown;
  }
  return new Kysely<Tables>({ dialect: nodeSqliteDialect(database) });
}
