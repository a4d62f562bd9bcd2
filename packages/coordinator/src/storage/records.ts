import { CoppiceError } from '@coppice/protocol';
import { type Kysely, PostgresAdapter, sql, type Transaction } from 'kysely';
import type { Tables } from './schema.ts';

type Db = Kysely<Tables> | Transaction<Tables>;

/** Tables to copy, with the order of each one's rows. */
const tables = [
  ['task', ['id']],
  ['task_weights', ['task']],
  ['upload', ['hash']],
  ['run', ['id']],
  ['counter', ['name']],
  ['round', ['run', 'round', 'attempt']],
  ['checkpoint', ['run', 'round']],
  ['event', ['id']],
  ['admin', ['id']],
  ['admin_session', ['id']],
  ['api_token', ['id']],
  ['admin_invitation', ['id']],
  ['audit', ['id']],
  ['participant', ['id']],
  ['run_admission', ['run']],
  ['run_invitation', ['id']],
  ['listed_participant', ['run', 'participant']],
  ['ban', ['id']],
  ['release_move', ['task', 'sequence']],
  ['watched_period', ['task', 'period']],
  ['task_policy', ['task', 'version']],
  ['release_reference', ['task', 'release']],
  ['privacy_spent', ['task', 'exchange']],
  ['watch_secret', ['task']],
  ['firing', ['task', 'sequence']],
] as const;
const PAGE = 500;
/** Rows in one insert: both databases accept that many values. */
const ROWS = 100;

/** Checks that nothing was ever stored. */
export async function isEmpty(db: Db): Promise<boolean> {
  for (const [table] of tables)
    if ((await sql`select 1 from ${sql.table(table)} limit 1`.execute(db)).rows.length > 0) return false;
  return true;
}

/** Copies every row. The tables of both sides must be of the current version, and those of `to` empty. */
export async function copyRecords(from: Db, to: Db): Promise<void> {
  for (const [table, keys] of tables) {
    const order = sql.join(keys.map((key) => sql.ref(key)));
    for (let at = 0; ; at += PAGE) {
      const { rows } = await sql<
        Record<string, unknown>
      >`select * from ${sql.table(table)} order by ${order} limit ${PAGE} offset ${at}`.execute(from);
      for (let first = 0; first < rows.length; first += ROWS) {
        await to
          .insertInto(table)
          .values(rows.slice(first, first + ROWS) as never)
          .execute();
      }
      if (rows.length < PAGE) break;
    }
  }
  // SQLite counts on from the largest id by itself.
  if (to.getExecutor().adapter instanceof PostgresAdapter)
    for (const table of ['event', 'audit'])
      await sql`select setval(pg_get_serial_sequence(${table}, 'id'), (select max(id) from ${sql.table(table)}))`.execute(
        to,
      );
}

/** The hashes of every blob that the records name. */
export async function namedBlobs(db: Db): Promise<Set<string>> {
  const rows = await db.selectFrom('checkpoint').select(['hash', 'state_tensors']).execute();
  const given = await db.selectFrom('task_weights').select('hash').execute();
  const uploads = await db.selectFrom('upload').select('hash').execute();
  return new Set([...rows.flatMap(blobsOf), ...[...given, ...uploads].map(({ hash }) => hash)]);
}

/** The hashes that a row of a checkpoint names. */
export function blobsOf(row: Pick<Tables['checkpoint'], 'hash' | 'state_tensors'>): string[] {
  return [row.hash, ...Object.values(JSON.parse(row.state_tensors) as Record<string, string>)];
}

/** @throws CoppiceError `storage-failed` where the tables are of another version. */
export async function ensureVersion(db: Db, version: number): Promise<void> {
  const row = await db
    .selectFrom('schema_version')
    .select((e) => e.fn.max('version').as('version'))
    .executeTakeFirst();
  if (row?.version === version) return;
  throw new CoppiceError(
    'storage-failed',
    `The database has version ${row?.version ?? 0} of the tables, this program knows ${version}. Back up with the program that runs the coordinator.`,
  );
}
