import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { CoppiceError } from '@coppice/protocol';
import { Kysely } from 'kysely';
import { fileBlobs } from './blobs.ts';
import { nodeSqliteDialect } from './node-sqlite-dialect.ts';
import type { Tables } from './schema.ts';
import { sqlStorage } from './sql.ts';
import type { Storage } from './storage.ts';

/**
 * The embedded default: one folder with `coppice.db` (SQLite) and `blobs/`.
 *
 * @throws CoppiceError `storage-failed` where the folder cannot be made or opened.
 */
export async function openSqliteStorage(folder: string): Promise<Storage> {
  try {
    mkdirSync(folder, { recursive: true });
    const database = new DatabaseSync(join(folder, 'coppice.db'));
    // WAL with full sync: a commit that returned survives loss of power.
    database.exec('pragma journal_mode = wal; pragma synchronous = full; pragma busy_timeout = 5000;');
    return await sqlStorage(
      new Kysely<Tables>({ dialect: nodeSqliteDialect(database) }),
      fileBlobs(join(folder, 'blobs')),
    );
  } catch (cause) {
    if (cause instanceof CoppiceError) throw cause;
    throw new CoppiceError(
      'storage-failed',
      `The data folder ${folder} cannot be opened: ${(cause as Error).message}. Check that it exists, is writable and has space.`,
      { cause },
    );
  }
}
