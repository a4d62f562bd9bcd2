import { join } from 'node:path';
import type { BlobStore } from './blobs.ts';
import { fileBlobs, removeUnfinished } from './file-blobs.ts';
import { makeFolder } from './folders.ts';
import { s3Blobs } from './s3-blobs.ts';
import { s3Bucket } from './s3-bucket.ts';
import { claimPrefix } from './s3-owner.ts';
import { type BlobPlace, s3Settings } from './s3-settings.ts';

/** Opens the weights of a data folder that the caller has locked. */
export type OpenBlobs = (folder: string) => Promise<BlobStore>;

/** The embedded default: `blobs/` in the data folder, with partial files of a crash removed. */
export const openFileBlobs: OpenBlobs = (folder) => openFiles(folder, true);

async function openFiles(folder: string, flush: boolean): Promise<BlobStore> {
  const blobs = join(folder, 'blobs');
  await makeFolder(blobs);
  await removeUnfinished(blobs);
  return fileBlobs(blobs, flush);
}

/**
 * Chooses the configured blob store, for a coordinator that will write.
 *
 * @param flush false for a temporary folder.
 * @throws CoppiceError `config-invalid`; the returned function throws `storage-*`.
 */
export function blobsOpener(place: BlobPlace, flush = true): OpenBlobs {
  const settings = s3Settings(place);
  if (settings === null) return (folder) => openFiles(folder, flush);
  return async (folder) => {
    const bucket = await s3Bucket(settings);
    try {
      await claimPrefix(bucket, folder);
    } catch (thrown) {
      await bucket.close();
      throw thrown;
    }
    return s3Blobs(bucket);
  };
}

/** Opens the configured blob store for reading; nothing is changed. */
export async function blobsToRead(place: BlobPlace, folder: string): Promise<BlobStore> {
  const settings = s3Settings(place);
  return settings === null ? fileBlobs(join(folder, 'blobs')) : s3Blobs(await s3Bucket(settings));
}
