import { kernelInstance } from '@coppice/kernels';
import { seededRandom, uniform } from '@coppice/ports';
import type { Codec, Layout } from '@coppice/protocol';
import { describe, expect, it } from 'vitest';
import { payloadValues } from './decode.ts';
import { encodeValues } from './encode.ts';
import { payloadRanges } from './ranges.ts';
import { readingRoom } from './values.ts';

const mixed: Layout = [
  { name: 'a', shape: [5000], trainable: true },
  { name: 'mean', shape: [37], trainable: false },
  { name: 'b', shape: [7001], trainable: true },
  { name: 'variance', shape: [3], trainable: false },
];
const plain: Layout = [{ name: 'a', shape: [12_345], trainable: true }];

describe.each(['float32', 'float16', 'int8', 'int4'] as Codec[])('the parts of a %s payload', (codec) => {
  it.each([
    ['of steps alone', plain],
    ['with running statistics between', mixed],
  ])('hold all that a slice needs, %s', (_name, layout) => {
    const parameters = layout.reduce((sum, { shape }) => sum + (shape[0] as number), 0);
    const random = seededRandom('ranges', codec);
    const values = Float32Array.from({ length: parameters }, () => uniform(random) - 0.5);
    const payload = encodeValues(codec, values, layout, 7);
    const memory = kernelInstance(readingRoom(4096));
    const read = (bytes: Uint8Array, from: number, count: number) => {
      payloadValues({ codec, payload: bytes }, layout).read(memory, from, count, 0);
      return [...new Float32Array(memory.buffer, 0, count)];
    };
    for (let from = 0; from < parameters; from += 4096) {
      const count = Math.min(4096, parameters - from);
      const part = new Uint8Array(payload.length);
      for (const { at, length } of payloadRanges(codec, layout, from, count))
        part.set(payload.subarray(at, at + length), at);
      expect(read(part, from, count)).toEqual(read(payload, from, count));
    }
  });
});
