import { CoppiceError, REST_TIMEOUT } from '@coppice/protocol';
import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { holdBlobs } from './blob-hold.ts';
import type { BlobStore } from './blobs.ts';
import { lockFolder } from './folder-lock.ts';
import { makeFolder } from './folders.ts';
import type { Flavour } from './migrations/migration.ts';
import { type OpenBlobs, openFileBlobs } from './open-blobs.ts';
import type { Tables } from './schema.ts';
import { sqlStorage } from './sql.ts';
import type { Storage } from './storage.ts';
import { storageError } from './storage-error.ts';

export const postgresFlavour: Flavour = {
  text: sql`text collate "C"`,
  numbered: (column) => column.generatedByDefaultAsIdentity(),
};

/** Key of the coordinator's advisory lock: "coppice" read as a number. */
const LOCK = '27988542883226469';

/**
 * Records in PostgreSQL, weights in `blobs/` of the data folder or elsewhere. Folder and database are locked for this
 * process until storage is closed.
 *
 * @throws CoppiceError `storage-*` where the folder or the database cannot be used.
 */
export async function openPostgresStorage(
  url: string,
  folder: string,
  openBlobs: OpenBlobs = openFileBlobs,
): Promise<Storage> {
  let unlock = () => {};
  let blobs: BlobStore | null = null;
  let owner: DatabaseOwner | null = null;
  try {
    await makeFolder(folder);
    unlock = lockFolder(folder);
    blobs = await openBlobs(folder);
    owner = await DatabaseOwner.of(url);
    const held = owner;
    return await sqlStorage(connectPostgres(url), {
      blobs,
      deleting: () => holdBlobs(folder, 'exclusive'),
      flavour: postgresFlavour,
      where: 'The PostgreSQL database',
      before: () => held.sure(),
      closed: async () => {
        await held.release();
        unlock();
      },
    });
  } catch (thrown) {
    await owner?.release();
    await blobs?.close();
    unlock();
    throw storageError(thrown, 'The PostgreSQL database');
  }
}

/** Opens the records alone, without a lock. */
export function connectPostgres(url: string): Kysely<Tables> {
  const pool = new pg.Pool({
    connectionString: url,
    max: 8,
    connectionTimeoutMillis: REST_TIMEOUT,
    types: { getTypeParser },
  });
  // A connection that breaks while idle is replaced with the next query; without a listener it would end the process.
  pool.on('error', () => {});
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
}

/** Parses 64-bit numbers: PostgreSQL sends them as text, since they may exceed a float64. Times and counts do not. */
function getTypeParser(oid: number, format?: 'text' | 'binary') {
  if (oid !== pg.types.builtins.INT8) return pg.types.getTypeParser(oid, format as 'text');
  return (text: string) => {
    const value = Number(text);
    if (!Number.isSafeInteger(value)) throw new RangeError(`${text} is too large for a number`);
    return value;
  };
}

/** Ownership of the database: an advisory lock on a separate connection, which ends with the process. */
export class DatabaseOwner {
  readonly #url: string;
  #client: pg.Client | null = null;
  #taking: Promise<void> | null = null;

  private constructor(url: string) {
    this.#url = url;
  }

  static async of(url: string): Promise<DatabaseOwner> {
    const owner = new DatabaseOwner(url);
    await owner.sure();
    return owner;
  }

  /** Resolves once the lock is held. It is lost with its connection and must be taken again before anything is done. */
  async sure(): Promise<void> {
    if (this.#client !== null) return;
    this.#taking ??= this.#take().finally(() => {
      this.#taking = null;
    });
    await this.#taking;
  }

  async #take(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.#url,
      connectionTimeoutMillis: REST_TIMEOUT,
      keepAlive: true,
    });
    const lost = () => {
      if (this.#client === client) this.#client = null;
    };
    client.on('error', lost).on('end', lost);
    try {
      await client.connect();
      const { rows } = await client.query<{ held: boolean }>(`select pg_try_advisory_lock(${LOCK}) as held`);
      if (rows[0]?.held !== true) {
        throw new CoppiceError(
          'storage-locked',
          'The PostgreSQL database is in use by another coordinator. Stop that one, or give this one a database of its own with DATABASE_URL.',
        );
      }
      this.#client = client;
    } catch (thrown) {
      await client.end().catch(() => {});
      throw thrown;
    }
  }

  async release(): Promise<void> {
    const client = this.#client;
    this.#client = null;
    await client?.end().catch(() => {});
  }
}
