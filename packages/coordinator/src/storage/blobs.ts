import { createHash, randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CoppiceError } from '@coppice/protocol';

/** Bytes by the SHA-256 of their content. Writing the same content twice is writing it once. */
export interface BlobStore {
  /** Returns once the bytes are durable. */
  put(bytes: Uint8Array): Promise<string>;
  /** @throws CoppiceError `storage-corrupt` where the bytes are missing or are not what the hash says. */
  get(hash: string): Promise<Uint8Array>;
}

export function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export function memoryBlobs(): BlobStore {
  const blobs = new Map<string, Uint8Array>();
  return {
    put(bytes) {
      const hash = hashOf(bytes);
      if (!blobs.has(hash)) blobs.set(hash, bytes.slice());
      return Promise.resolve(hash);
    },
    get(hash) {
      const bytes = blobs.get(hash);
      return bytes === undefined ? Promise.reject(missing(hash)) : Promise.resolve(bytes.slice());
    },
  };
}

/** Blobs as files, `ab/cdef…`: written aside, flushed, then renamed, so that no half file has a blob's name. */
export function fileBlobs(folder: string): BlobStore {
  const pathOf = (hash: string) => join(folder, hash.slice(0, 2), hash.slice(2));
  return {
    put(bytes) {
      try {
        const hash = hashOf(bytes);
        const path = pathOf(hash);
        if (existsSync(path)) return Promise.resolve(hash);
        mkdirSync(join(folder, hash.slice(0, 2)), { recursive: true });
        const aside = `${path}.${randomBytes(6).toString('hex')}.part`;
        const file = openSync(aside, 'wx');
        try {
          for (let at = 0; at < bytes.byteLength; ) at += writeSync(file, bytes, at);
          fsyncSync(file);
        } finally {
          closeSync(file);
        }
        renameSync(aside, path);
        return Promise.resolve(hash);
      } catch (cause) {
        return Promise.reject(
          new CoppiceError(
            'storage-failed',
            `The weights could not be written to the data folder: ${(cause as Error).message}. Check free space and permissions.`,
            { cause },
          ),
        );
      }
    },
    async get(hash) {
      let bytes: Uint8Array;
      try {
        bytes = await readFile(pathOf(hash));
      } catch (cause) {
        throw missing(hash, cause);
      }
      if (hashOf(bytes) !== hash) {
        throw new CoppiceError(
          'storage-corrupt',
          `The stored weights ${hash.slice(0, 12)}… are damaged: their content does not match their name. Restore the data folder from a backup.`,
        );
      }
      return bytes;
    },
  };
}

function missing(hash: string, cause?: unknown): CoppiceError {
  return new CoppiceError(
    'storage-corrupt',
    `The stored weights ${hash.slice(0, 12)}… are missing. Restore the data folder from a backup.`,
    { cause },
  );
}

/** Float32 numbers of a blob, aligned. */
export function toFloat32(bytes: Uint8Array): Float32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
  return new Float32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 4);
}

export function toBytes(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
