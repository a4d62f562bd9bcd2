import { readdirSync, readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { PlanSchema, weightsHash } from '@coppice/protocol';
import { Kysely, sql } from 'kysely';
import { afterAll, describe, expect, it } from 'vitest';
import { toBytes } from './blobs.ts';
import { newFiring } from './firing.testing.ts';
import { memoryBlobs } from './memory-blobs.ts';
import { migrate } from './migrate.ts';
import { migrations } from './migrations/index.ts';
import type { Flavour, Migration } from './migrations/migration.ts';
import { newRun } from './new-run.testing.ts';
import { nodeSqliteDialect } from './node-sqlite-dialect.ts';
import { SharedPglite } from './pglite.testing.ts';
import { postgresFlavour } from './postgres.ts';
import type { Tables } from './schema.ts';
import { sqlStorage } from './sql.ts';
import { sqliteFlavour } from './sqlite.ts';

const fixtures = new URL('./migrations/fixtures/', import.meta.url);

const pglite = new SharedPglite();
afterAll(() => pglite.stop());

interface Opened {
  readonly db: Kysely<Tables>;
  readonly exec: (text: string) => Promise<void>;
}

/** Each with a way to a database with nothing in it. */
const databases: [string, Flavour, () => Promise<Opened>][] = [
  [
    'SQLite',
    sqliteFlavour,
    async () => {
      const database = new DatabaseSync(':memory:');
      return {
        db: new Kysely<Tables>({ dialect: nodeSqliteDialect(database) }),
        exec: async (text) => database.exec(text),
      };
    },
  ],
  [
    'PostgreSQL',
    postgresFlavour,
    async () => ({ db: await pglite.empty(), exec: (text) => pglite.exec(text) }),
  ],
];

const versionOf = async (db: Kysely<Tables>) =>
  (await db.selectFrom('schema_version').selectAll().orderBy('version').execute()).map((row) => row.version);

it('every earlier version has a database of its time', () => {
  const earlier = migrations.slice(0, -1).map((_, index) => `v${index + 1}.sql`);
  expect(readdirSync(fixtures).sort()).toEqual(earlier.sort());
});

describe.each(databases)('migrations in %s', (name, flavour, open) => {
  it.each(readdirSync(fixtures))('bring %s to today, with all that is in it', async (file) => {
    const { db, exec } = await open();
    const [tables, rows] = readFileSync(new URL(file, fixtures), 'utf8').split('-- Rows\n') as [
      string,
      string,
    ];
    // Only SQLite databases were written by the programs of those days; elsewhere the same steps are taken.
    const version = Number.parseInt(file.slice(1), 10);
    if (name === 'SQLite') await exec(tables + rows);
    else {
      await migrate(db, flavour, migrations.slice(0, version));
      await exec(`delete from schema_version; ${rows}; select setval('event_id_seq', 2)`);
    }
    const blobs = memoryBlobs();
    const weights = new Float32Array([1.5, -0]);
    await blobs.put(toBytes(weights));
    const storage = await sqlStorage(db, { blobs, flavour, where: name });

    expect(await versionOf(db)).toEqual(migrations.map((_, index) => index + 1));
    // A task from before the field holds out what a task that states nothing does.
    expect((await storage.tasks()).map(({ id, title, heldOut }) => [id, title.zh, heldOut])).toEqual([
      ['toy', '玩具', 0.1],
    ]);
    expect((await storage.runs()).map(({ task }) => task.heldOut)).toEqual([0.1]);
    // A plan without the fields that came later is a whole plan of today.
    for (const { plan } of await storage.runs()) expect(PlanSchema.safeParse(plan).error).toBeUndefined();
    expect((await storage.runs()).map(({ id, createdAt }) => [id, createdAt])).toEqual([
      ['toy-1', 1_760_000_000_000],
    ]);
    expect(await storage.rounds('toy-1')).toMatchObject([
      { round: 1, examples: 3, checkpoint: weightsHash(weights) },
    ]);
    expect(await storage.checkpoints('toy-1')).toMatchObject([
      {
        id: 'toy-1/1',
        round: 1,
        parent: 'toy-1/0',
        createdAt: 1_760_000_000_001,
        central: { loss: 0.25, accuracy: 0.75, examples: 4 },
      },
      { id: 'toy-1/0', round: 0, parent: null },
    ]);
    expect(await storage.runs()).toMatchObject([
      { sequence: 1, from: null, cause: { by: 'admin', name: version >= 6 ? '小林' : '' } },
    ]);
    expect(await storage.latest('toy-1')).toMatchObject({ weights, state: { values: { steps: 1 } } });
    expect((await storage.events({})).map(({ id, message }) => [id, message])).toEqual([
      [1, 'The run toy-1 was created.'],
      [2, "It's 训练"],
    ]);
    // Runs of the days before are open, and nobody is banned.
    const admission = version >= 5;
    expect(await storage.admissions()).toEqual(admission ? [{ run: 'toy-1', admission: 'listed' }] : []);
    expect((await storage.bans()).map(({ reason }) => reason)).toEqual(admission ? ["It's spam"] : []);
    expect(await storage.listed()).toMatchObject(admission ? [{ invitation: 'v1', by: '小林' }] : []);
    // Nothing was released before there were channels.
    const released = version >= 9 ? 1 : null;
    expect((await storage.releases('toy', {})).map(({ reason }) => reason)).toEqual(
      released === null ? [] : ["It's better"],
    );
    const move = { task: 'toy', channel: 'production', checkpoint: 'toy-1/1', expected: released } as const;
    const author = {
      undoes: null,
      at: 3,
      by: { by: 'admin', name: '小林' },
      reason: 'r',
      evidence: null,
    } as const;
    expect(await storage.moveChannel({ ...move, ...author })).toMatchObject({
      sequence: (released ?? 0) + 1,
      hash: weightsHash(weights),
    });
    // No task was watched before there were periods.
    const watched = version >= 10 ? [{ period: 3, reports: 2, release: null, noise: 0 }] : [];
    expect(await storage.periods('toy')).toMatchObject(watched);
    expect((await storage.policy('toy'))?.policy?.plan).toEqual(version >= 11 ? { rounds: 5 } : undefined);
    // No trigger fired before there were firings.
    expect(await storage.firings('toy')).toEqual([]);
    expect((await storage.addFiring(newFiring())).sequence).toBe(1);
    // Everybody is new.
    expect(await storage.participantSeen('0'.repeat(32))).toBeNull();
    if (version >= 4) {
      expect((await storage.admins()).map(({ name, role }) => [name, role])).toEqual([['小林', 'operator']]);
      expect(await storage.apiToken('f'.repeat(64))).toMatchObject({ scopes: ['metrics:read'] });
      expect(await storage.audit({ action: 'login' })).toMatchObject([{ id: 1 }]);
    }
    const event = { at: 3, run: null, round: null, level: 'info', kind: 'k', message: 'm' } as const;
    expect(await storage.appendEvents([event])).toMatchObject([{ id: 3 }]);
    // Numbers go on after those that were given out.
    const made = await storage.createRun(newRun(weights));
    expect([made.id, made.sequence]).toEqual(['toy-2', 2]);
    await storage.close();
  });

  it('put the runs of a task in the order of their numbers, where the clock went back', async () => {
    const { db, exec } = await open();
    await migrate(db, flavour, migrations.slice(0, 6));
    const dates = { 'toy-1': 10, 'toy-2': 5, 'other-1': 7, 'toy-10': 9 };
    for (const [id, at] of Object.entries(dates)) {
      const json = JSON.stringify({ id, plan: {} });
      const task = id.replace(/-\d+$/, '');
      await exec(
        `insert into run (id, created_at, task, json) values ('${id}', ${at}, '${task}', '${json}')`,
      );
    }
    const storage = await sqlStorage(db, { blobs: memoryBlobs(), flavour, where: name });
    expect((await storage.runs()).map(({ id }) => id)).toEqual(['toy-1', 'other-1', 'toy-2', 'toy-10']);
    expect((await storage.createRun(newRun(new Float32Array([1])))).id).toBe('toy-11');
    await storage.close();
  });

  it('are done once', async () => {
    const { db } = await open();
    await migrate(db, flavour);
    await migrate(db, flavour);
    expect(await versionOf(db)).toEqual(migrations.map((_, index) => index + 1));
    await db.destroy();
  });

  it('that fail leave the version before them whole, and can be tried again', async () => {
    const { db } = await open();
    let fails = true;
    const steps: Migration[] = [
      async ({ schema }) => schema.createTable('a').addColumn('x', 'integer').execute(),
      async ({ schema }) => {
        await schema.createTable('b').addColumn('x', 'integer').execute();
        if (fails) throw new Error('power loss');
      },
    ];
    await expect(migrate(db, flavour, steps)).rejects.toThrow('power loss');
    expect(await versionOf(db)).toEqual([1]);
    await sql`select * from a`.execute(db);
    await expect(sql`select * from b`.execute(db)).rejects.toThrow();
    fails = false;
    await migrate(db, flavour, steps);
    await sql`select * from b`.execute(db);
    expect(await versionOf(db)).toEqual([1, 2]);
    await db.destroy();
  });

  it('refuse a database of a newer program, and leave it as it is', async () => {
    const { db } = await open();
    await migrate(db, flavour);
    const newer = migrations.length + 1;
    await db.insertInto('schema_version').values({ version: newer }).execute();
    await expect(migrate(db, flavour)).rejects.toMatchObject({
      code: 'storage-too-new',
      message: expect.stringContaining(String(newer)),
    });
    expect((await versionOf(db)).at(-1)).toBe(newer);
    await db.destroy();
  });
});
