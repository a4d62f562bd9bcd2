import { crc32 } from 'node:zlib';
import type { Steps } from '@coppice/federation';
import { FRAME_HEADER_BYTES, float32Payload, frameHeader } from '@coppice/protocol';
import { nativeCrc32 } from '../native-crc32.ts';

/** So many bytes are copied and summed in one piece, in about a millisecond. */
const PIECE = 1 << 20;

/** A model as it travels, put together piece by piece: the same bytes as `encodeFrame` makes. */
export function* weightsFrame(weights: Float32Array, layoutHash: Uint8Array): Steps<Uint8Array> {
  const payload = float32Payload(weights);
  const frame = new Uint8Array(FRAME_HEADER_BYTES + payload.byteLength);
  let crc = 0;
  for (let at = 0; at < payload.byteLength; at += PIECE) {
    if (at > 0) yield;
    const piece = payload.subarray(at, at + PIECE);
    crc = crc32(piece, crc);
    frame.set(piece, FRAME_HEADER_BYTES + at);
  }
  const { byteLength } = payload;
  const parameters = weights.length;
  frame.set(
    frameHeader(
      { kind: 'weights', codec: 'float32', layoutHash, parameters },
      { byteLength, crc },
      nativeCrc32,
    ),
  );
  return frame;
}
