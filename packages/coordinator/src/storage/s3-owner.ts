import { randomUUID } from 'node:crypto';
import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { CoppiceError } from '@coppice/protocol';
import { hashOf } from './blobs.ts';
import { flushFolder } from './folders.ts';
import type { S3Bucket } from './s3-bucket.ts';

/** The object that names the owner of the prefix; in the data folder, the file with this coordinator's own name. */
const OWNER = 'coppice-owner';

/**
 * Claims a prefix for the data folder for good. This is no lock: the data folder has one. But two coordinators that
 * share a prefix would share equal weights, and one's deletion would be the other's loss. The write also shows that the
 * bucket exists and accepts writes.
 *
 * @param folder locked by the caller.
 * @throws CoppiceError `storage-locked` where the prefix is another's, `storage-*` where the bucket refuses.
 */
export async function claimPrefix(bucket: S3Bucket, folder: string): Promise<void> {
  const mine = new TextEncoder().encode(await identityOf(folder));
  const sha256 = hashOf(mine);
  let there = await bucket.read(OWNER);
  if (there === null && !(await bucket.write(OWNER, mine, { sha256, onlyNew: true })))
    there = await bucket.read(OWNER);
  if (there === null) return;
  if (hashOf(there) !== sha256)
    throw new CoppiceError(
      'storage-locked',
      `${bucket.addressOf('')} holds the weights of another coordinator's data folder. Give this one a prefix of its own with --blob-url. If that data folder is gone for good and this one was restored from its backup, delete ${bucket.addressOf(OWNER)} first.`,
    );
  await bucket.write(OWNER, mine, { sha256 });
}

async function identityOf(folder: string): Promise<string> {
  const path = join(folder, OWNER);
  const known = await readFile(path, 'utf8').catch((thrown: unknown) => {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw thrown;
  });
  if (known !== null) return known;
  const made = randomUUID();
  const aside = `${path}.part`;
  const file = await open(aside, 'w');
  try {
    await file.writeFile(made);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(aside, path);
  await flushFolder(folder);
  return made;
}
