import { CoppiceError } from '@coppice/protocol';
import { type Kysely, sql } from 'kysely';
import { migrations as all } from './migrations/index.ts';
import type { Flavour, Migration } from './migrations/migration.ts';
import type { Tables } from './schema.ts';

/**
 * Migrates a database to the newest version of the tables; safe to call on every start. Each migration and its version
 * number are one transaction, so that a crash never leaves a version in part. The caller must be the database's only
 * user, as the locks of `sqlite.ts` and `postgres.ts` ensure.
 *
 * @throws CoppiceError `storage-too-new` where a newer program wrote the database; nothing was changed.
 */
export async function migrate(
  db: Kysely<Tables>,
  flavour: Flavour,
  migrations: readonly Migration[] = all,
): Promise<void> {
  await sql`create table if not exists schema_version (version integer not null)`.execute(db);
  const row = await db
    .selectFrom('schema_version')
    .select((e) => e.fn.max('version').as('version'))
    .executeTakeFirst();
  const version = row?.version ?? 0;
  if (version > migrations.length) {
    throw new CoppiceError(
      'storage-too-new',
      `The database has version ${version} of the tables; this program knows ${migrations.length}. Start the newer program again, or restore a backup made before it was installed.`,
    );
  }
  for (const [index, migration] of migrations.entries()) {
    if (index < version) continue;
    await db.transaction().execute(async (transaction) => {
      await migration(transaction as unknown as Kysely<unknown>, flavour);
      await transaction
        .insertInto('schema_version')
        .values({ version: index + 1 })
        .execute();
    });
  }
}
