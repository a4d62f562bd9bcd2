import type { KernelInstance } from '@coppice/kernels';
import { float32Payload } from '@coppice/protocol';
import { finish, STEP_PARAMETERS, type Steps } from '../steps.ts';
import { workbench } from './workbench.ts';

/** Alignment of slices: the largest block of any codec. */
export const SLICE_ALIGNMENT = 4096;

/** Bytes of memory needed to read `count` values: the decoded values, the encoded bytes behind them, and the scales. */
export function readingBytes(count: number): number {
  return 8 * Math.ceil(count / SLICE_ALIGNMENT) * SLICE_ALIGNMENT + 64;
}

/** As `readingBytes`, for values in the middle of a payload, read in whole blocks. */
export function readingRoom(count: number): number {
  return readingBytes(count) + readingBytes(count + 2 * SLICE_ALIGNMENT);
}

/** A model's worth of float32 numbers, however they came: read a slice at a time into a kernel's memory. */
export interface Values {
  readonly parameters: number;
  /**
   * Puts values `from` … `from + count − 1` at byte `to` of the memory. `from` is a multiple of 4096, and `count`
   * is, too, but for the last slice. As many bytes as `readingRoom` says are used on the way.
   */
  read(memory: KernelInstance, from: number, count: number, to: number): void;
}

/** Float32 numbers as they are: one copy, into the memory. */
export function float32Values(values: Float32Array): Values {
  return float32Bytes(float32Payload(values));
}

/** The same from their bytes, aligned or not. */
export function float32Bytes(bytes: Uint8Array): Values {
  return {
    parameters: bytes.byteLength / 4,
    read(memory, from, count, to) {
      bytesOf(memory).set(bytes.subarray(from * 4, (from + count) * 4), to);
    },
  };
}

/** All values, in an array of their own. */
export function toFloat32(values: Values): Float32Array {
  return finish(toFloat32InSteps(values));
}

/** The same, a piece of the model at a time. */
export function* toFloat32InSteps(values: Values): Steps<Float32Array> {
  const all = new Float32Array(values.parameters);
  const { memory, slice } = workbench();
  for (let from = 0; from < all.length; from += slice) {
    if (from > 0 && from % STEP_PARAMETERS === 0) yield;
    const count = Math.min(slice, all.length - from);
    values.read(memory, from, count, 0);
    all.set(new Float32Array(memory.buffer, 0, count), from);
  }
  return all;
}

/** Byte offset of a slice's encoded bytes while its values are decoded to `to`. */
export function behind(count: number, to: number): number {
  return to + 4 * Math.ceil(count / SLICE_ALIGNMENT) * SLICE_ALIGNMENT;
}

const views = new WeakMap<ArrayBuffer, Uint8Array<ArrayBuffer>>();

/** An instance's whole memory as bytes; the view is cached. */
export function bytesOf({ buffer }: KernelInstance): Uint8Array<ArrayBuffer> {
  const known = views.get(buffer);
  if (known !== undefined) return known;
  const view = new Uint8Array(buffer);
  views.set(buffer, view);
  return view;
}
