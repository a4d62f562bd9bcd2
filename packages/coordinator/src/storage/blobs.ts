import { createHash } from 'node:crypto';
import type { Steps } from '@coppice/federation';
import { CoppiceError } from '@coppice/protocol';
import { inTurns } from '../turns.ts';

/**
 * Immutable bytes named by the SHA-256 of their content: writing the same content twice stores it once. Every
 * implementation must pass `blobContract`.
 *
 * Every method may throw CoppiceError `storage-failed`, `storage-full` or `storage-read-only`.
 */
export interface BlobStore {
  /** Returns the hash once the bytes are durable; they must not change until then. */
  put(bytes: Uint8Array): Promise<string>;
  /** @throws CoppiceError `storage-corrupt` where the bytes are missing or do not match the hash. */
  get(hash: string): Promise<Uint8Array>;
  /** Checks that a blob of this name exists; only `get` verifies it. */
  has(hash: string): Promise<boolean>;
  /** Deletes a blob, if it exists. */
  delete(hash: string): Promise<void>;
  /** The names of all blobs, in no order. */
  list(): AsyncIterable<string>;
  /** Releases open resources. */
  close(): Promise<void>;
}

export function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Bytes hashed in one slice: a few milliseconds of work. */
const HASH_BYTES = 1 << 22;

/**
 * As `hashOf`, for bytes that may be hundreds of megabytes: yields to the event loop between slices. The bytes must not
 * change until then.
 */
export function hashInSlices(bytes: Uint8Array): Promise<string> {
  return inTurns(hashInSteps(bytes));
}

/** The same as steps, for work that hashes among other things. */
export function* hashInSteps(bytes: Uint8Array): Steps<string> {
  const hash = createHash('sha256');
  for (let at = 0; at < bytes.byteLength; at += HASH_BYTES) {
    if (at > 0) yield;
    hash.update(bytes.subarray(at, at + HASH_BYTES));
  }
  return hash.digest('hex');
}

/** The error of `get` for a missing blob. */
export function missing(hash: string, cause?: unknown): CoppiceError {
  return new CoppiceError(
    'storage-corrupt',
    `The stored weights ${hash.slice(0, 12)}… are missing. Look whether --data-dir and --blob-url are those they were stored with; else restore from a backup.`,
    { cause },
  );
}

/** The error of `get` for a damaged blob. */
export function damaged(hash: string, where: string, bytes: number): CoppiceError {
  return new CoppiceError(
    'storage-corrupt',
    `The stored weights ${hash.slice(0, 12)}… are damaged: the ${bytes} bytes of ${where} do not match their name. They are not used. Restore from a backup.`,
  );
}

/** Reads a blob as float32 numbers, aligned. */
export function toFloat32(bytes: Uint8Array): Float32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
  return new Float32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 4);
}

export function toBytes(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
