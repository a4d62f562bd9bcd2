import { FRAME_HEADER_BYTES } from './frame.ts';
import { PIECE_BYTES } from './limits.ts';

/*
 * A frame that is larger than a piece does not travel whole: its header stands where the frame would, and
 * the payload follows in pieces, each asked for or answered on its own. Pieces are numbered from 0; all
 * but the last have `PIECE_BYTES`.
 */

/** The part of a frame that a message carries: all of it, or the header where the payload goes in pieces. */
export function travelling(frame: Uint8Array): Uint8Array {
  return frame.byteLength <= PIECE_BYTES ? frame : frame.subarray(0, FRAME_HEADER_BYTES);
}

/** Checks that a frame is a header alone. Every model has parameters, so no whole frame is that short. */
export function isHeaderAlone(frame: Uint8Array): boolean {
  return frame.byteLength === FRAME_HEADER_BYTES;
}

/** Number of pieces of a payload of `payloadBytes` bytes. */
export function pieceCount(payloadBytes: number): number {
  return Math.ceil(payloadBytes / PIECE_BYTES);
}

/** Size in bytes of a piece; 0 where there is no such piece. */
export function pieceBytes(payloadBytes: number, piece: number): number {
  return Math.min(PIECE_BYTES, Math.max(0, payloadBytes - piece * PIECE_BYTES));
}

/** A piece of a payload: a view, no copy. */
export function pieceOf(payload: Uint8Array, piece: number): Uint8Array {
  return payload.subarray(piece * PIECE_BYTES, (piece + 1) * PIECE_BYTES);
}
