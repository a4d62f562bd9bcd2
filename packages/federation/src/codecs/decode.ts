import {
  type Codec,
  CoppiceError,
  encodedBytes,
  INT8_BLOCK,
  int4BlockBytes,
  type Layout,
  modelSize,
  payloadBytes,
} from '@coppice/protocol';
import { finish, type Steps } from '../steps.ts';
import { interleaved } from './interleaved.ts';
import { checkTop, topValues } from './top.ts';
import { behind, bytesOf, float32Bytes, type Values } from './values.ts';

/** A payload, with the codec that its frame header names. */
export interface Payload {
  readonly codec: Codec;
  readonly payload: Uint8Array;
}

/**
 * The values of a payload, decoded when they are read, from where its bytes are.
 *
 * @throws CoppiceError `frame-invalid` where no values can be in it.
 */
export function payloadValues(payload: Payload, layout: Layout): Values {
  return finish(payloadValuesInSteps(payload, layout));
}

/** The same: a payload that must be checked whole is checked a piece at a time. */
export function* payloadValuesInSteps({ codec, payload }: Payload, layout: Layout): Steps<Values> {
  const size = modelSize(layout);
  if (payload.byteLength !== payloadBytes(codec, size)) {
    throw new CoppiceError('frame-invalid', `${payload.byteLength} bytes are no ${codec} payload.`);
  }
  const plain = size.parameters - size.trainable;
  if (codec === 'float32' || plain === 0) return yield* encodedValues(codec, size.trainable, payload);
  return interleaved(
    layout,
    payload.subarray(0, 4 * plain),
    yield* encodedValues(codec, size.trainable, payload.subarray(4 * plain)),
  );
}

/** Reads `parameters` numbers, all encoded with one codec. */
function* encodedValues(codec: Codec, parameters: number, payload: Uint8Array): Steps<Values> {
  switch (codec) {
    case 'float32':
      return float32Bytes(payload);
    case 'float16':
      return {
        parameters,
        read(memory, from, count, to) {
          const at = behind(count, to);
          bytesOf(memory).set(payload.subarray(2 * from, 2 * (from + count)), at);
          memory.kernels.decodeFloat16(count, at, to);
        },
      };
    case 'int8':
      return {
        parameters,
        read(memory, from, count, to) {
          const at = behind(count, to);
          const begin = encodedBytes('int8', from);
          bytesOf(memory).set(payload.subarray(begin, begin + count + 4 * Math.ceil(count / INT8_BLOCK)), at);
          memory.kernels.decodeInt8(count, at, to);
        },
      };
    case 'int4': {
      const seed = new DataView(payload.buffer, payload.byteOffset).getUint32(0, true);
      const blocks = payload.subarray(4);
      return {
        parameters,
        read(memory, from, count, to) {
          const at = behind(count, to);
          const begin = int4BlockBytes(from);
          bytesOf(memory).set(blocks.subarray(begin, begin + int4BlockBytes(count)), at);
          memory.kernels.decodeInt4(count, seed, from, at, to);
        },
      };
    }
    case 'top1':
    case 'top10':
      yield* checkTop(parameters, payload);
      return topValues(parameters, payload);
  }
}
