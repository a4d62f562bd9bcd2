import { crc32 } from 'node:zlib';
import type { Steps } from '@coppice/federation';
import type { Checksum } from '@coppice/protocol';

/** Node's own CRC-32: the same numbers as the protocol's, many times faster. */
export const nativeCrc32: Checksum = (bytes) => crc32(bytes);

/** Bytes in one slice: well below a millisecond of work. */
const STEP_BYTES = 1 << 20;

/** As `nativeCrc32`, in slices. */
export function* crc32InSteps(bytes: Uint8Array): Steps<number> {
  let crc = 0;
  for (let at = 0; at < bytes.byteLength; at += STEP_BYTES) {
    if (at > 0) yield;
    crc = crc32(bytes.subarray(at, at + STEP_BYTES), crc);
  }
  return crc;
}
