import type { KernelInstance } from '@coppice/kernels';
import {
  type Codec,
  CoppiceError,
  encodedBytes,
  entriesOf,
  float32Payload,
  INT8_BLOCK,
  int4BlockBytes,
  type Layout,
} from '@coppice/protocol';
import { finish, STEP_PARAMETERS, type Steps } from '../steps.ts';
import { copied, separated } from './interleaved.ts';
import { encodeTop } from './top.ts';
import { behind, bytesOf } from './values.ts';
import { workbench } from './workbench.ts';

/**
 * Encodes a vector of the model's length. Non-trainable values come first, as float32.
 *
 * @param seed a random 32-bit integer, unpredictable and used once: it seeds the rounding of `int8` and the rotation of
 *   `int4`.
 * @throws CoppiceError `training-diverged` where a number is not finite.
 */
export function encodeValues(codec: Codec, values: Float32Array, layout: Layout, seed: number): Uint8Array {
  return finish(encodeInSteps(codec, values, layout, seed));
}

/**
 * The same, a piece of the model at a time.
 *
 * @param nearest for what goes to everyone alike, so that no error evens another out: `int8` rounds to the nearest, which
 *   errs half as much (in mean squares) as what is right on average.
 */
export function* encodeInSteps(
  codec: Codec,
  values: Float32Array,
  layout: Layout,
  seed: number,
  nearest = false,
): Steps<Uint8Array> {
  yield* requireFinite(values);
  if (codec === 'float32') return float32Payload(values);
  const { trainable, plain } = yield* separated(layout, values);
  const encoded = yield* encode(codec, trainable, seed, nearest);
  if (plain.length === 0) return encoded;
  const payload = new Uint8Array(plain.byteLength + encoded.length);
  yield* copied(payload, float32Payload(plain), 0);
  yield* copied(payload, encoded, plain.byteLength);
  return payload;
}

function* encode(
  codec: Exclude<Codec, 'float32'>,
  values: Float32Array,
  seed: number,
  nearest: boolean,
): Steps<Uint8Array> {
  switch (codec) {
    case 'float16':
      return yield* inSlices(encodedBytes(codec, values.length), values, (memory, _from, count, at) => {
        memory.kernels.encodeFloat16(count, 0, at);
        return 2 * count;
      });
    case 'int8':
      return yield* inSlices(encodedBytes(codec, values.length), values, (memory, from, count, at) => {
        if (nearest) memory.kernels.encodeInt8Nearest(count, 0, at);
        else memory.kernels.encodeInt8(count, 0, seed, from, at);
        return count + 4 * Math.ceil(count / INT8_BLOCK);
      });
    case 'int4': {
      const blocks = yield* inSlices(int4BlockBytes(values.length), values, (memory, from, count, at) => {
        memory.kernels.encodeInt4(count, 0, seed, from, at);
        return int4BlockBytes(count);
      });
      const payload = new Uint8Array(4 + blocks.length);
      new DataView(payload.buffer).setUint32(0, seed, true);
      yield* copied(payload, blocks, 4);
      return payload;
    }
    case 'top1':
    case 'top10':
      return yield* encodeTop(values, entriesOf(codec, values.length));
  }
}

/** @param encodeSlice encodes `count` values at 0 of the memory to bytes at `at`, and says how many. */
function* inSlices(
  length: number,
  values: Float32Array,
  encodeSlice: (memory: KernelInstance, from: number, count: number, at: number) => number,
): Steps<Uint8Array> {
  const payload = new Uint8Array(length);
  const { memory, slice } = workbench();
  let written = 0;
  for (let from = 0; from < values.length; from += slice) {
    if (from > 0 && from % STEP_PARAMETERS === 0) yield;
    const count = Math.min(slice, values.length - from);
    new Float32Array(memory.buffer, 0, count).set(values.subarray(from, from + count));
    const at = behind(count, 0);
    const bytes = encodeSlice(memory, from, count, at);
    payload.set(bytesOf(memory).subarray(at, at + bytes), written);
    written += bytes;
  }
  return payload;
}

function* requireFinite(values: Float32Array): Steps<void> {
  const { memory, slice } = workbench();
  for (let from = 0; from < values.length; from += slice) {
    if (from > 0 && from % STEP_PARAMETERS === 0) yield;
    const part = values.subarray(from, from + slice);
    new Float32Array(memory.buffer, 0, part.length).set(part);
    if (memory.kernels.largestBits(part.length, 0) < INFINITE) continue;
    throw new CoppiceError(
      'training-diverged',
      'The update holds what is not a finite number, so it is not sent. A smaller learning rate may help.',
    );
  }
}

/** Bits of +∞ as float32; those of NaN are larger. */
const INFINITE = 0x7f800000;
