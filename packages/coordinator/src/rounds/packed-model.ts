import type { Steps } from '@coppice/federation';
import {
  CoppiceError,
  encodeFrame,
  encodeHeader,
  FRAME_HEADER_BYTES,
  float32Payload,
  PIECE_BYTES,
  pieceOf,
} from '@coppice/protocol';
import { crc32InSteps, nativeCrc32 } from '../native-crc32.ts';

/** A model as it travels, made once and shared by all who get it. */
export interface PackedModel {
  /** The whole frame, or its header alone where the payload goes in pieces. */
  readonly frame: Uint8Array;
  /** The weights' own memory. */
  readonly payload: Uint8Array;
}

/** Packs weights, which must not change from then on, a piece at a time. A large model is not copied. */
export function* packModel(layoutHash: Uint8Array, weights: Float32Array): Steps<PackedModel> {
  const payload = float32Payload(weights);
  const header = { kind: 'weights', codec: 'float32', layoutHash, parameters: weights.length } as const;
  const payloadBytes = payload.byteLength;
  if (FRAME_HEADER_BYTES + payloadBytes <= PIECE_BYTES)
    return { frame: encodeFrame({ ...header, payload }, nativeCrc32), payload };
  const payloadChecksum = yield* crc32InSteps(payload);
  return { frame: encodeHeader({ ...header, payloadBytes, payloadChecksum }, nativeCrc32), payload };
}

/** A piece of a packed model: a view. @throws CoppiceError `message-invalid` where it has no such piece. */
export function pieceOfModel({ payload }: PackedModel, piece: number): Uint8Array {
  const bytes = pieceOf(payload, piece);
  if (bytes.byteLength > 0) return bytes;
  throw new CoppiceError('message-invalid', `The model has no piece ${piece}.`);
}

/** What who asks for a piece of a model that is not the current one is told. */
export function notCurrent(run: string): CoppiceError {
  return new CoppiceError(
    'checkpoint-unknown',
    `That is no longer the current model of the run "${run}". Ask for the current one.`,
  );
}
