import type { Config } from '../config.ts';
import { blobsOpener } from './open-blobs.ts';
import { openPostgresStorage } from './postgres.ts';
import type { BlobPlace } from './s3-settings.ts';
import { openSqliteStorage } from './sqlite.ts';
import type { Storage } from './storage.ts';

/** The part of the configuration that locates records and weights. */
export type StoragePlace = Pick<Config, 'databaseUrl' | 'dataDir'> & BlobPlace;

/**
 * Opens the configured storage.
 *
 * @param flush false for a temporary data folder: nothing waits for the disk.
 * @throws CoppiceError `config-invalid`, `storage-*`.
 */
export async function openStorage(place: StoragePlace, flush = true): Promise<Storage> {
  const { databaseUrl, dataDir } = place;
  const blobs = blobsOpener(place, flush);
  return databaseUrl === null
    ? openSqliteStorage(dataDir, blobs, flush)
    : openPostgresStorage(databaseUrl, dataDir, blobs);
}
