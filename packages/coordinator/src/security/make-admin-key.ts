import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CoppiceError } from '@coppice/protocol';
import type { Config } from '../config.ts';
import { migrations } from '../storage/migrations/index.ts';
import { connectPostgres } from '../storage/postgres.ts';
import { ensureVersion } from '../storage/records.ts';
import { insertAdminInvitation } from '../storage/sql-admins.ts';
import { openSqlite } from '../storage/sqlite.ts';
import { storageError } from '../storage/storage-error.ts';
import { newOneTimeKey } from './admin-invitations.ts';

const DAYS = 1;
const MAKER = 'pnpm admin-key';

/**
 * Makes a link that opens the admin page once. It may run beside a running coordinator: both databases accept two
 * writers, and the coordinator caches none of this.
 *
 * @throws CoppiceError `config-invalid` where no coordinator ever started, `storage-*`.
 */
export async function makeAdminKey(
  config: Pick<Config, 'dataDir' | 'databaseUrl' | 'publicUrl' | 'host' | 'port'>,
): Promise<{ link: string; days: number }> {
  const { dataDir, databaseUrl, publicUrl, host, port } = config;
  const file = join(dataDir, 'coppice.db');
  if (databaseUrl === null && (await stat(file).catch(() => null)) === null)
    throw new CoppiceError(
      'config-invalid',
      `${dataDir} holds no coppice.db. Start the coordinator there first, or name its folder with --data-dir.`,
    );
  const now = Date.now();
  const { key, record } = newOneTimeKey(now, MAKER, DAYS);
  const db = databaseUrl === null ? openSqlite(file) : connectPostgres(databaseUrl);
  try {
    await ensureVersion(db, migrations.length);
    await db.transaction().execute(async (transaction) => {
      await insertAdminInvitation(transaction, record);
      await transaction
        .insertInto('audit')
        .values({
          at: now,
          admin: null,
          name: MAKER,
          action: 'one-time-key-made',
          target: '',
          detail: '',
          address: '',
        })
        .execute();
    });
  } catch (thrown) {
    throw storageError(thrown, 'The database');
  } finally {
    await db.destroy();
  }
  const shown = host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  const url = publicUrl?.replace(/\/$/, '') ?? `http://${shown}:${port}`;
  return { link: `${url}/admin?key=${encodeURIComponent(key)}`, days: DAYS };
}
