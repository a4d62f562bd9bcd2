import { type BlobStore, damaged, hashInSlices, missing } from './blobs.ts';
import type { S3Bucket } from './s3-bucket.ts';

const NAME = /^([0-9a-f]{2})\/([0-9a-f]{62})$/;

/**
 * Blobs as objects, named as the files of `file-blobs.ts`: `ab/cdef…` below the prefix. One PUT is atomic and durable,
 * and may carry 5 GB, far more than the largest model; so uploads have no parts, and no partial object can be left
 * behind.
 */
export function s3Blobs(bucket: S3Bucket): BlobStore {
  const nameOf = (hash: string) => `${hash.slice(0, 2)}/${hash.slice(2)}`;
  return {
    async put(bytes) {
      const hash = await hashInSlices(bytes);
      // An existing object may be damaged. A check would read all of it, so it is written again.
      await bucket.write(nameOf(hash), bytes, { sha256: hash });
      return hash;
    },
    async get(hash) {
      const name = nameOf(hash);
      let whole = false;
      const bytes = await bucket.read(name, async (read) => {
        whole = (await hashInSlices(read)) === hash;
        return whole;
      });
      if (bytes === null) throw missing(hash);
      if (!whole) throw damaged(hash, bucket.addressOf(name), bytes.byteLength);
      return bytes;
    },
    has: (hash) => bucket.has(nameOf(hash)),
    delete: (hash) => bucket.remove(nameOf(hash)),
    async *list() {
      for await (const name of bucket.names()) {
        const [, start, rest] = NAME.exec(name) ?? [];
        if (start !== undefined && rest !== undefined) yield start + rest;
      }
    },
    close: () => bucket.close(),
  };
}
