import type { Config } from '../config.ts';
import { blobsOpener } from './open-blobs.ts';
import { openPostgresStorage } from './postgres.ts';
import type { BlobPlace } from './s3-settings.ts';
import { openSqliteStorage } from './sqlite.ts';
import type { Storage } from './storage.ts';

/** The part of the configuration that says where records and weights are. */
export type StoragePlace = Pick<Config, 'databaseUrl' | 'dataDir'> & BlobPlace;

/** The storage that the configuration asks for. @throws CoppiceError `config-invalid`, `storage-*`. */
export async function openStorage(place: StoragePlace): Promise<Storage> {
  const { databaseUrl, dataDir } = place;
  const blobs = blobsOpener(place);
  return databaseUrl === null
    ? openSqliteStorage(dataDir, blobs)
    : openPostgresStorage(databaseUrl, dataDir, blobs);
}
