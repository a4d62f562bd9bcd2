import type { Config } from '../config.ts';
import { openPostgresStorage } from './postgres.ts';
import { openSqliteStorage } from './sqlite.ts';
import type { Storage } from './storage.ts';

/** The storage that the configuration asks for. @throws CoppiceError `storage-*`. */
export function openStorage({
  databaseUrl,
  dataDir,
}: Pick<Config, 'databaseUrl' | 'dataDir'>): Promise<Storage> {
  return databaseUrl === null ? openSqliteStorage(dataDir) : openPostgresStorage(databaseUrl, dataDir);
}
