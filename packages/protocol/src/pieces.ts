import { FRAME_HEADER_BYTES } from './frame.ts';
import { PIECE_BYTES } from './limits.ts';

/*
 * A frame that is larger than a piece does not travel whole: its header stands where the frame would, and
 * the payload follows in pieces, each asked for or answered on its own. Pieces are numbered from 0; all
 * but the last have `PIECE_BYTES`.
 */

/** What stands in a message for this frame: the frame, or its header where the payload goes in pieces. */
export function travelling(frame: Uint8Array): Uint8Array {
  return frame.byteLength <= PIECE_BYTES ? frame : frame.subarray(0, FRAME_HEADER_BYTES);
}

/** Whether what stands for a frame is its header alone. No model is without parameters, so no frame is. */
export function isHeaderAlone(frame: Uint8Array): boolean {
  return frame.byteLength === FRAME_HEADER_BYTES;
}

/** How many pieces a payload of so many bytes has. */
export function pieceCount(payloadBytes: number): number {
  return Math.ceil(payloadBytes / PIECE_BYTES);
}

/** How many bytes piece number `piece` has; 0 where there is no such piece. */
export function pieceBytes(payloadBytes: number, piece: number): number {
  return Math.min(PIECE_BYTES, Math.max(0, payloadBytes - piece * PIECE_BYTES));
}

/** A piece of a payload: a view, no copy. */
export function pieceOf(payload: Uint8Array, piece: number): Uint8Array {
  return payload.subarray(piece * PIECE_BYTES, (piece + 1) * PIECE_BYTES);
}
