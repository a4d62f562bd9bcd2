import { nextTurn } from '../turns.ts';

/** Bytes copied in one turn of the event loop. */
const PIECE = 1 << 22;

/** A copy in memory that threads share, made a piece a turn; what is in such memory already is not copied. */
export async function sharedCopy(bytes: Uint8Array): Promise<Uint8Array<SharedArrayBuffer>> {
  if (isShared(bytes)) return bytes;
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.byteLength));
  for (let at = 0; at < bytes.byteLength; at += PIECE) {
    if (at > 0) await nextTurn();
    copy.set(bytes.subarray(at, at + PIECE), at);
  }
  return copy;
}

function isShared(bytes: Uint8Array): bytes is Uint8Array<SharedArrayBuffer> {
  return bytes.buffer instanceof SharedArrayBuffer;
}
