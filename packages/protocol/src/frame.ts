import { type Codec, codecs, payloadBytes } from './codec.ts';
import { type Checksum, crc32 } from './crc32.ts';
import { CoppiceError } from './errors.ts';

/**
 * A binary frame: a header of 40 bytes, then the payload. All numbers little-endian.
 *
 * | offset | bytes | what |
 * |---|---|---|
 * | 0 | 4 | `43 50 46 31`, "CPF1": a Coppice frame |
 * | 4 | 1 | frame version, 1 |
 * | 5 | 1 | kind: 1 weights, 2 update, 3 steps |
 * | 6 | 1 | codec: see `codec.ts` |
 * | 7 | 1 | reserved, 0 |
 * | 8 | 16 | layout hash |
 * | 24 | 4 | number of parameters |
 * | 28 | 4 | payload length in bytes |
 * | 32 | 4 | CRC-32 of the payload |
 * | 36 | 4 | CRC-32 of bytes 0–35 |
 */
export const FRAME_HEADER_BYTES = 40;
export const FRAME_VERSION = 1;
const MAGIC = 0x31465043;

export const frameKinds = { weights: 1, update: 2, steps: 3 } as const;
export type FrameKind = keyof typeof frameKinds;

export interface FrameHeader {
  readonly kind: FrameKind;
  readonly codec: Codec;
  readonly layoutHash: Uint8Array;
  readonly parameters: number;
}

export interface Frame extends FrameHeader {
  /** A view into the frame's bytes, not a copy; it may be misaligned for typed arrays. */
  readonly payload: Uint8Array;
}

/** What the receiver knows already and the frame must agree with. */
export interface FrameExpectation {
  readonly kind: FrameKind;
  readonly layoutHash: Uint8Array;
  readonly parameters: number;
  /** How many of the parameters are trained; left out, all. */
  readonly trainable?: number;
  /** Left out, any that this side knows. */
  readonly codec?: Codec;
}

/** Puts a header before a payload. The result is one allocation, to be shared by all recipients. */
export function encodeFrame(frame: Frame, checksum: Checksum = crc32): Uint8Array {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + frame.payload.byteLength);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint8(4, FRAME_VERSION);
  view.setUint8(5, frameKinds[frame.kind]);
  view.setUint8(6, codecs[frame.codec]);
  bytes.set(frame.layoutHash, 8);
  view.setUint32(24, frame.parameters, true);
  view.setUint32(28, frame.payload.byteLength, true);
  view.setUint32(32, checksum(frame.payload), true);
  view.setUint32(36, checksum(bytes.subarray(0, 36)), true);
  bytes.set(frame.payload, FRAME_HEADER_BYTES);
  return bytes;
}

/**
 * Reads and verifies a frame, without copying its payload.
 *
 * @throws CoppiceError `frame-invalid` when the bytes are no frame or were damaged on the way,
 *   `update-shape` when it is a sound frame of another model or of another kind.
 */
export function decodeFrame(
  bytes: Uint8Array,
  expected: FrameExpectation,
  checksum: Checksum = crc32,
): Frame {
  if (bytes.byteLength < FRAME_HEADER_BYTES) {
    throw invalid(`it has ${bytes.byteLength} bytes, fewer than the header's ${FRAME_HEADER_BYTES}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== MAGIC) throw invalid('it does not begin with "CPF1"');
  if (view.getUint32(36, true) !== checksum(bytes.subarray(0, 36))) {
    throw invalid("its header's checksum does not match");
  }
  if (view.getUint8(4) !== FRAME_VERSION) {
    throw invalid(`its frame version is ${view.getUint8(4)}, this side reads ${FRAME_VERSION}`);
  }
  const kind = nameOf(frameKinds, view.getUint8(5));
  const codec = nameOf(codecs, view.getUint8(6));
  if (kind === undefined || codec === undefined) {
    throw invalid(`kind ${view.getUint8(5)} or codec ${view.getUint8(6)} is not known`);
  }
  const payload = bytes.subarray(FRAME_HEADER_BYTES);
  if (view.getUint32(28, true) !== payload.byteLength) {
    throw invalid(
      `its header announces ${view.getUint32(28, true)} payload bytes, ${payload.byteLength} came`,
    );
  }
  if (view.getUint32(32, true) !== checksum(payload)) {
    throw invalid("its payload's checksum does not match");
  }
  const layoutHash = new Uint8Array(bytes.subarray(8, 24));
  const parameters = view.getUint32(24, true);
  if (kind !== expected.kind) throw wrongModel(`it carries ${kind}, not ${expected.kind}`);
  if (parameters !== expected.parameters || !sameBytes(layoutHash, expected.layoutHash)) {
    throw wrongModel(
      `it is laid out for a model of ${parameters} parameters, this run's model has ${expected.parameters}` +
        (parameters === expected.parameters ? ' in other shapes' : ''),
    );
  }
  if (expected.codec !== undefined && codec !== expected.codec) {
    throw wrongModel(`it is encoded as ${codec}, this run's plan says ${expected.codec}`);
  }
  const needed = payloadBytes(codec, { parameters, trainable: expected.trainable ?? parameters });
  // Steps are one payload after the other, or none.
  const fits = kind === 'steps' ? payload.byteLength % needed === 0 : payload.byteLength === needed;
  if (!fits) {
    throw invalid(`${codec} needs ${needed} payload bytes, it has ${payload.byteLength}`);
  }
  return { kind, codec, layoutHash, parameters, payload };
}

/**
 * Float32 numbers as payload bytes, and back. Both assume a little-endian machine, as every engine
 * that runs WebAssembly is.
 */
export function float32Payload(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/**
 * Reads a float32 payload. No copy where the bytes happen to be aligned: treat the result as
 * read-only.
 *
 * @throws CoppiceError `frame-invalid` where it is another codec's.
 */
export function readFloat32Payload({ codec, payload, parameters }: Frame): Float32Array {
  if (codec !== 'float32') throw invalid(`its numbers are ${codec}, not float32`);
  // Socket.IO hands out views at any offset; a Float32Array must start at a multiple of four.
  if (payload.byteOffset % 4 === 0) return new Float32Array(payload.buffer, payload.byteOffset, parameters);
  return new Float32Array(new Uint8Array(payload).buffer);
}

function nameOf<T extends Record<string, number>>(table: T, value: number): keyof T | undefined {
  return Object.keys(table).find((name) => table[name] === value);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function invalid(why: string): CoppiceError {
  return new CoppiceError('frame-invalid', `The binary frame cannot be read: ${why}. Send it again.`);
}

function wrongModel(why: string): CoppiceError {
  return new CoppiceError('update-shape', `The binary frame does not fit this run: ${why}.`);
}
