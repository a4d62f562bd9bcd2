import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultConfig } from '../config.ts';
import { backUp, restore } from './backup.ts';
import { storageContract } from './contract.ts';
import { memoryBlobs } from './memory-blobs.ts';
import { SharedPglite } from './pglite.testing.ts';
import { openPostgresStorage, postgresFlavour } from './postgres.ts';
import { findPostgres, type PostgresServer, startPostgres } from './postgres-server.ts';
import type { Tables } from './schema.ts';
import { sqlStorage } from './sql.ts';

const folders: string[] = [];
const newFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), 'coppice-storage-'));
  folders.push(folder);
  return folder;
};
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const pglite = new SharedPglite(newFolder());
afterAll(() => pglite.stop());

storageContract('PGlite', async () => {
  const blobs = memoryBlobs();
  const open = (db: Kysely<Tables>) => sqlStorage(db, { blobs, flavour: postgresFlavour, where: 'PGlite' });
  const storage = await open(await pglite.empty());
  return {
    storage,
    reopen: async () => {
      await storage.close();
      await pglite.stop();
      return open(pglite.connect());
    },
  };
});

const bin = findPostgres();
if (bin === null)
  process.stderr.write('No PostgreSQL server is installed here (apt-get install postgresql).\n');

describe.skipIf(bin === null && process.env.CI !== 'true')('PostgreSQL', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    if (bin === null) throw new Error('CI must have a PostgreSQL server: apt-get install postgresql');
    server = await startPostgres(bin);
  }, 60_000);
  afterAll(() => server?.stop());

  storageContract('PostgreSQL', async () => {
    const url = await server.create();
    const folder = newFolder();
    const storage = await openPostgresStorage(url, folder);
    return {
      storage,
      reopen: async () => {
        await storage.close();
        return openPostgresStorage(url, folder);
      },
    };
  });

  it('is one coordinator’s at a time', async () => {
    const url = await server.create();
    const storage = await openPostgresStorage(url, newFolder());
    await expect(openPostgresStorage(url, newFolder())).rejects.toMatchObject({ code: 'storage-locked' });
    await storage.close();
    await (await openPostgresStorage(url, newFolder())).close();
  });

  it('does nothing more once the lock is somebody else’s', async () => {
    const url = await server.create();
    const storage = await openPostgresStorage(url, newFolder());
    const admin = new pg.Client(url);
    await admin.connect();
    try {
      // What a broken network does: all of the first one's connections are gone, and another comes first.
      await admin.query('select pg_terminate_backend(pid) from pg_locks where locktype = $1', ['advisory']);
      await expect
        .poll(async () => (await admin.query("select 1 from pg_locks where locktype = 'advisory'")).rowCount)
        .toBe(0);
      const second = await openPostgresStorage(url, newFolder());
      await expect.poll(() => storage.runs().catch((thrown) => thrown.code)).toBe('storage-locked');
      await second.close();
      // And it is there again once that one is gone.
      expect(await storage.runs()).toEqual([]);
    } finally {
      await admin.end();
      await storage.close();
    }
  });

  it('moves to SQLite and back by backup and restore, and counts on', async () => {
    const [first, second] = [await server.create(), await server.create()];
    const [folder, other, backup] = [newFolder(), newFolder(), newFolder()];
    const storage = await openPostgresStorage(first, folder);
    const event = { run: 'r', round: null, level: 'info', kind: 'k', message: 'm' } as const;
    await storage.appendEvents(Array.from({ length: 700 }, (_, at) => ({ ...event, at })));
    const task = { id: 'é', title: { zh: '玩具' }, heldOut: 0.1 } as never;
    await storage.addTask(task);
    await backUp({ ...defaultConfig, databaseUrl: first, dataDir: folder }, backup);
    await restore(backup, { ...defaultConfig, databaseUrl: second, dataDir: other });
    const restored = await openPostgresStorage(second, other);
    expect(await restored.tasks()).toEqual([task]);
    expect(await restored.events({})).toEqual(await storage.events({}));
    expect(await restored.appendEvents([{ ...event, at: 1 }])).toMatchObject([{ id: 701 }]);
    await restored.close();
    await storage.close();
  });

  it('names a database that may not be written to, and one that is not there, without the password', async () => {
    const url = await server.create();
    await (await openPostgresStorage(url, newFolder())).close();
    const storage = await openPostgresStorage(
      `${url}?options=-c%20default_transaction_read_only%3Don`,
      newFolder(),
    ).catch((thrown) => thrown);
    expect(storage).toMatchObject({ code: 'storage-read-only' });
    const absent = await openPostgresStorage(url.replace(/:\d+\//, ':1/'), newFolder()).catch(
      (thrown) => thrown,
    );
    expect(absent.code).toBe('storage-failed');
    expect(absent.message).not.toContain('for-tests-only');
  });
});
