import { type Codec, codecs, payloadBytes as encodedPayloadBytes } from './codec.ts';
import { type Checksum, crc32 } from './crc32.ts';
import { CoppiceError } from './errors.ts';
import { MAX_CONTRIBUTION_BYTES, MAX_MODEL_BYTES, PIECE_BYTES } from './limits.ts';

/**
 * A binary frame: a header of 40 bytes, then the payload. All numbers little-endian.
 *
 * | offset | bytes | what |
 * |---|---|---|
 * | 0 | 4 | `43 50 46 31`, "CPF1": a Coppice frame |
 * | 4 | 1 | frame version, 1 |
 * | 5 | 1 | kind: 1 weights, 2 contribution, 3 steps |
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

export const frameKinds = { weights: 1, contribution: 2, steps: 3 } as const;
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

/** The receiver's expectations of a frame. */
export interface FrameExpectation {
  readonly kind: FrameKind;
  readonly layoutHash: Uint8Array;
  readonly parameters: number;
  /** Number of trainable parameters; left out: all. */
  readonly trainable?: number;
  /** Size of the payload in bytes by codec, where it does not follow from one group of parameters. */
  readonly bytes?: (codec: Codec) => number;
  /** Left out: any known codec. */
  readonly codec?: Codec;
  /** Whether the payload is fetched by itself however short it is. Left out: only one that is longer than a message takes. */
  readonly separate?: boolean;
}

/** A frame's header, as written before the payload. */
export interface SealedHeader extends FrameHeader {
  readonly payloadBytes: number;
  /** CRC-32 of the payload. */
  readonly payloadChecksum: number;
}

/** Encodes a header in 40 bytes. */
export function encodeHeader(header: SealedHeader, checksum: Checksum = crc32): Uint8Array {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES);
  writeHeader(bytes, header, checksum);
  return bytes;
}

/** Puts a header before a payload. The result is one allocation, to be shared by all recipients. */
export function encodeFrame(frame: Frame, checksum: Checksum = crc32): Uint8Array {
  const { bytes, payload } = emptyFrame(frame.payload.byteLength);
  payload.set(frame.payload);
  sealFrame(bytes, frame, checksum);
  return bytes;
}

/** Makes room for a frame whose payload is written in place: all its bytes, and those of the payload. */
export function emptyFrame(payloadBytes: number): { bytes: Uint8Array; payload: Uint8Array } {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES + payloadBytes);
  return { bytes, payload: bytes.subarray(FRAME_HEADER_BYTES) };
}

/** Writes the header of a frame whose payload is there. */
export function sealFrame(bytes: Uint8Array, header: FrameHeader, checksum: Checksum = crc32): void {
  const payload = bytes.subarray(FRAME_HEADER_BYTES);
  const sealed = { payloadBytes: payload.byteLength, payloadChecksum: checksum(payload) };
  writeHeader(bytes, { ...header, ...sealed }, checksum);
}

function writeHeader(bytes: Uint8Array, header: SealedHeader, checksum: Checksum): void {
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint8(4, FRAME_VERSION);
  view.setUint8(5, frameKinds[header.kind]);
  view.setUint8(6, codecs[header.codec]);
  bytes.set(header.layoutHash, 8);
  view.setUint32(24, header.parameters, true);
  view.setUint32(28, header.payloadBytes, true);
  view.setUint32(32, header.payloadChecksum, true);
  view.setUint32(36, checksum(bytes.subarray(0, 36)), true);
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
  const { payloadBytes, payloadChecksum, ...header } = readHeader(bytes, checksum);
  const payload = bytes.subarray(FRAME_HEADER_BYTES);
  if (payloadBytes !== payload.byteLength) {
    throw invalid(`its header announces ${payloadBytes} payload bytes, ${payload.byteLength} came`);
  }
  if (payloadChecksum !== checksum(payload)) {
    throw invalid("its payload's checksum does not match");
  }
  expectModel(header, expected);
  const needed = neededBytes(header, expected);
  // Steps are one payload after the other, or none.
  const fits = header.kind === 'steps' ? payloadBytes % needed === 0 : payloadBytes === needed;
  if (!fits) throw malformed(`${header.codec} needs ${needed} payload bytes, it has ${payloadBytes}`);
  return { ...header, payload };
}

/**
 * Reads the header of a frame whose payload follows in pieces, and checks that it announces the size that this codec
 * and model imply: no memory is allocated for anything else.
 *
 * @throws CoppiceError `frame-invalid`, `update-shape`, as `decodeFrame`.
 */
export function decodeHeader(
  bytes: Uint8Array,
  expected: FrameExpectation,
  checksum: Checksum = crc32,
): SealedHeader {
  const header = readHeader(bytes, checksum);
  if (expected.separate !== true && FRAME_HEADER_BYTES + header.payloadBytes <= PIECE_BYTES) {
    throw malformed(`its payload of ${header.payloadBytes} bytes should have come with it`);
  }
  expectModel(header, expected);
  const needed = neededBytes(header, expected);
  if (header.payloadBytes !== needed) {
    throw malformed(
      `its header announces ${header.payloadBytes} payload bytes, ${header.codec} needs ${needed}`,
    );
  }
  return header;
}

/** Reads a header that announces no more than the largest model or contribution. */
function readHeader(bytes: Uint8Array, checksum: Checksum): SealedHeader {
  if (bytes.byteLength < FRAME_HEADER_BYTES) {
    throw invalid(`it has ${bytes.byteLength} bytes, fewer than the header's ${FRAME_HEADER_BYTES}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== MAGIC) throw invalid('it does not begin with "CPF1"');
  if (view.getUint32(36, true) !== checksum(bytes.subarray(0, 36))) {
    throw invalid("its header's checksum does not match");
  }
  if (view.getUint8(4) !== FRAME_VERSION) {
    throw malformed(`its frame version is ${view.getUint8(4)}, this side reads ${FRAME_VERSION}`);
  }
  if (view.getUint8(7) !== 0) throw malformed(`its reserved byte is ${view.getUint8(7)}, this side reads 0`);
  const kind = nameOf(frameKinds, view.getUint8(5));
  const codec = nameOf(codecs, view.getUint8(6));
  if (kind === undefined || codec === undefined) {
    throw malformed(`kind ${view.getUint8(5)} or codec ${view.getUint8(6)} is not known`);
  }
  const parameters = view.getUint32(24, true);
  const payloadBytes = view.getUint32(28, true);
  const most = kind === 'contribution' ? MAX_CONTRIBUTION_BYTES : MAX_MODEL_BYTES;
  if (4 * parameters > most || payloadBytes > most) {
    throw malformed(
      `its header announces ${parameters} parameters in ${payloadBytes} payload bytes, ${kind} has ${most / 4} parameters and ${most} bytes at most`,
    );
  }
  return {
    kind,
    codec,
    layoutHash: new Uint8Array(bytes.subarray(8, 24)),
    parameters,
    payloadBytes,
    payloadChecksum: view.getUint32(32, true),
  };
}

function expectModel({ kind, codec, layoutHash, parameters }: FrameHeader, expected: FrameExpectation): void {
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
}

/** Size in bytes of a payload with this header's codec and the expected model. */
function neededBytes({ codec, parameters }: FrameHeader, { trainable, bytes }: FrameExpectation): number {
  if (bytes !== undefined) return bytes(codec);
  return encodedPayloadBytes(codec, { parameters, trainable: trainable ?? parameters });
}

/**
 * Reads the layout hash and the number of parameters of a frame whose model is not known: at most those of the largest
 * model.
 *
 * @throws CoppiceError `frame-invalid` where there is no sound header.
 */
export function frameLayout(bytes: Uint8Array): Pick<FrameHeader, 'layoutHash' | 'parameters'> {
  const { layoutHash, parameters } = readHeader(bytes, crc32);
  return { layoutHash, parameters };
}

/**
 * Float32 numbers as payload bytes, and back. Both assume a little-endian machine, as every engine
 * that runs WebAssembly is.
 */
export function float32Payload(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/**
 * Reads a float32 payload. Aligned bytes are not copied: treat the result as read-only.
 *
 * @throws CoppiceError `frame-invalid` where the codec is another one.
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

/** An error for a frame that arrived as it was made, so that sending it again cannot help. */
function malformed(why: string): CoppiceError {
  return new CoppiceError('frame-invalid', `The binary frame cannot be read: ${why}.`, { retry: 'never' });
}

/** An error for a frame that may have been damaged in transit. */
function invalid(why: string): CoppiceError {
  return new CoppiceError('frame-invalid', `The binary frame cannot be read: ${why}. Send it again.`);
}

function wrongModel(why: string): CoppiceError {
  return new CoppiceError('update-shape', `The binary frame does not fit this run: ${why}.`);
}
