import { createHash } from 'node:crypto';
import { CoppiceError } from '@coppice/protocol';
import { nextTurn } from '../turns.ts';

/**
 * Bytes by the SHA-256 of their content, which never change: writing the same content twice is writing it
 * once. Whoever implements this must pass `blobContract`.
 *
 * Every method may throw CoppiceError `storage-failed`, `storage-full` or `storage-read-only`.
 */
export interface BlobStore {
  /** Returns their hash once the bytes are durable; they must not change until then. */
  put(bytes: Uint8Array): Promise<string>;
  /** @throws CoppiceError `storage-corrupt` where the bytes are missing or are not what the hash says. */
  get(hash: string): Promise<Uint8Array>;
  /** Whether there is something of this name; only `get` says whether it is whole. */
  has(hash: string): Promise<boolean>;
  /** Deletes it, if it is there. */
  delete(hash: string): Promise<void>;
  /** The names of all there are, in no order. */
  list(): AsyncIterable<string>;
  /** Lets go of what it holds open. */
  close(): Promise<void>;
}

export function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** So much is hashed in a few milliseconds. */
const SLICE = 4 << 20;

/** As `hashOf`, for bytes that may be hundreds of megabytes: others get their turn in between. The bytes must not change until then. */
export async function hashInSlices(bytes: Uint8Array): Promise<string> {
  const hash = createHash('sha256');
  for (let at = 0; at < bytes.byteLength; at += SLICE) {
    if (at > 0) await nextTurn();
    hash.update(bytes.subarray(at, at + SLICE));
  }
  return hash.digest('hex');
}

/** What `get` throws where there is nothing. */
export function missing(hash: string, cause?: unknown): CoppiceError {
  return new CoppiceError(
    'storage-corrupt',
    `The stored weights ${hash.slice(0, 12)}… are missing. Look whether --data-dir and --blob-url are those they were stored with; else restore from a backup.`,
    { cause },
  );
}

/** What `get` throws where there is something else. */
export function damaged(hash: string, where: string, bytes: number): CoppiceError {
  return new CoppiceError(
    'storage-corrupt',
    `The stored weights ${hash.slice(0, 12)}… are damaged: the ${bytes} bytes of ${where} do not match their name. They are not used. Restore from a backup.`,
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
