import { type Generated, type Kysely, sql } from 'kysely';

/*
 * The tables, in the subset of SQL that SQLite and PostgreSQL share: text ids, integer milliseconds,
 * JSON as text. Tensors are blobs; rows hold their hashes.
 */
export interface Tables {
  task: { id: string; json: string };
  run: { id: string; created_at: number; task: string; json: string };
  round: { run: string; round: number; attempt: number; json: string };
  checkpoint: {
    run: string;
    round: number;
    task: string;
    hash: string;
    parent: string | null;
    created_at: number;
    parameters: number;
    central: string | null;
    federated: string | null;
    state_values: string;
    /** JSON: tensor name → blob hash. */
    state_tensors: string;
  };
  event: {
    id: Generated<number>;
    at: number;
    run: string | null;
    round: number | null;
    level: string;
    kind: string;
    message: string;
  };
  schema_version: { version: number };
}

/** Each migration runs once, in a transaction with its version number; they are never edited, only added to. */
const migrations: readonly ((db: Kysely<Tables>) => Promise<void>)[] = [
  async (db) => {
    await db.schema
      .createTable('task')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('json', 'text', (c) => c.notNull())
      .execute();
    await db.schema
      .createTable('run')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('created_at', 'bigint', (c) => c.notNull())
      .addColumn('task', 'text', (c) => c.notNull())
      .addColumn('json', 'text', (c) => c.notNull())
      .execute();
    await db.schema
      .createTable('round')
      .addColumn('run', 'text', (c) => c.notNull())
      .addColumn('round', 'integer', (c) => c.notNull())
      .addColumn('attempt', 'integer', (c) => c.notNull())
      .addColumn('json', 'text', (c) => c.notNull())
      .addPrimaryKeyConstraint('round_key', ['run', 'round', 'attempt'])
      .execute();
    await db.schema
      .createTable('checkpoint')
      .addColumn('run', 'text', (c) => c.notNull())
      .addColumn('round', 'integer', (c) => c.notNull())
      .addColumn('task', 'text', (c) => c.notNull())
      .addColumn('hash', 'text', (c) => c.notNull())
      .addColumn('parent', 'text')
      .addColumn('created_at', 'bigint', (c) => c.notNull())
      .addColumn('parameters', 'integer', (c) => c.notNull())
      .addColumn('central', 'text')
      .addColumn('federated', 'text')
      .addColumn('state_values', 'text', (c) => c.notNull())
      .addColumn('state_tensors', 'text', (c) => c.notNull())
      .addPrimaryKeyConstraint('checkpoint_key', ['run', 'round'])
      .execute();
    await db.schema.createIndex('checkpoint_hash').on('checkpoint').column('hash').execute();
    await db.schema.createIndex('checkpoint_task').on('checkpoint').columns(['task', 'created_at']).execute();
    await db.schema
      .createTable('event')
      .addColumn('id', 'integer', (c) => c.primaryKey().autoIncrement())
      .addColumn('at', 'bigint', (c) => c.notNull())
      .addColumn('run', 'text')
      .addColumn('round', 'integer')
      .addColumn('level', 'text', (c) => c.notNull())
      .addColumn('kind', 'text', (c) => c.notNull())
      .addColumn('message', 'text', (c) => c.notNull())
      .execute();
  },
];

/** Brings a database to the newest schema; safe to call on every start. */
export async function migrate(db: Kysely<Tables>): Promise<void> {
  await sql`create table if not exists schema_version (version integer not null)`.execute(db);
  const { version } = (await db
    .selectFrom('schema_version')
    .select((e) => e.fn.max('version').as('version'))
    .executeTakeFirstOrThrow()) as {
    version: number | null;
  };
  for (let next = version ?? 0; next < migrations.length; next++) {
    await db.transaction().execute(async (transaction) => {
      await (migrations[next] as (typeof migrations)[number])(transaction);
      await transaction
        .insertInto('schema_version')
        .values({ version: next + 1 })
        .execute();
    });
  }
}
