import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { GivenTensor } from './given-tensor.ts';
import { MAX_SAFETENSORS_HEADER, readSafetensors, writeSafetensors } from './safetensors.ts';

interface Case {
  readonly file: string;
  readonly tensors: Record<string, { shape: number[]; values: number[] }>;
}

/** Files that the Python package wrote, and the numbers it was given: `fixtures/safetensors.py`. */
const cases = JSON.parse(
  readFileSync(new URL('./fixtures/safetensors.json', import.meta.url), 'utf8'),
) as Record<'floats' | 'metadata' | 'kinds' | 'bfloat16', Case>;

/** A file of any header and data. */
function file(header: unknown, data = new Uint8Array(0)): Uint8Array {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, data]);
}

const entry = (from: number, to: number, shape = [(to - from) / 4], dtype = 'F32') => ({
  dtype,
  shape,
  data_offsets: [from, to],
});

const tensors = fc
  .uniqueArray(
    fc.record({
      name: fc.string({ unit: 'grapheme', minLength: 1 }).filter((name) => name !== '__metadata__'),
      shape: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }),
      seed: fc.array(fc.float({ noNaN: true }), { minLength: 1, maxLength: 8 }),
    }),
    { selector: ({ name }) => name },
  )
  .map((list) =>
    list.map(({ name, shape, seed }): GivenTensor => {
      const length = shape.reduce((a, b) => a * b, 1);
      return {
        name,
        shape,
        values: Float32Array.from({ length }, (_, i) => seed[i % seed.length] as number),
      };
    }),
  );

describe('readSafetensors', () => {
  it.each(Object.entries(cases))(
    'reads the numbers that the Python package wrote: %s',
    (_, { file, tensors }) => {
      const bytes = Buffer.from(file, 'base64');
      // At any place in a larger buffer.
      for (const offset of [0, 1, 3]) {
        const moved = new Uint8Array(bytes.length + offset);
        moved.set(bytes, offset);
        const read = readSafetensors(moved.subarray(offset));
        expect(new Set(read.map(({ name }) => name))).toEqual(new Set(Object.keys(tensors)));
        for (const { name, shape, values } of read) {
          expect(shape).toEqual(tensors[name]?.shape);
          expect(values).toEqual(Float32Array.from(tensors[name]?.values ?? []));
        }
      }
    },
  );

  const good = file({ a: entry(0, 8), b: entry(8, 12) }, new Uint8Array(12));
  it.each([
    ['an empty file', new Uint8Array(0), 'fewer than 8 bytes'],
    ['a zip', Buffer.from('PK\x03\x04 and more of it'), 'no safetensors file'],
    ['a length beyond the file', good.subarray(0, 20), 'within its header'],
    ['a header beyond the limit', file(' '.repeat(MAX_SAFETENSORS_HEADER + 1)), 'no safetensors file'],
    ['a header that is no UTF-8', Buffer.concat([file('{"'), Buffer.from([0xff])]), 'no JSON'],
    ['a header that is no JSON', file('{'), 'no JSON'],
    ['a header that is nested beyond the stack', file('['.repeat(1_000_000)), 'no JSON'],
    ['a header that is a list', file([]), 'no JSON object'],
    ['data cut short', good.subarray(0, -4), '12 bytes, and 8 bytes follow'],
    ['data beyond the last tensor', Buffer.concat([good, Buffer.alloc(4)]), '12 bytes, and 16 bytes follow'],
    ['a gap', file({ a: entry(0, 4), b: entry(8, 12) }, new Uint8Array(12)), 'bytes 4–8'],
    ['an overlap', file({ a: entry(0, 8), b: entry(4, 12) }, new Uint8Array(12)), '"b" overlap'],
    ['a size that lies', file({ a: entry(0, 8, [3]) }, new Uint8Array(8)), 'needs 12 bytes, and has 8'],
    [
      'a size beyond all numbers',
      file({ a: entry(0, 8, [2 ** 52, 2 ** 52]) }, new Uint8Array(8)),
      'and has 8',
    ],
    ['offsets turned round', file({ a: entry(8, 0, [2]) }, new Uint8Array(8)), 'and has -8'],
    ['a negative size', file({ a: entry(0, 4, [-1, -1]) }, new Uint8Array(4)), 'no dtype, shape'],
    ['an offset between bytes', file({ a: entry(0.5, 4.5, [1]) }, new Uint8Array(5)), 'no dtype, shape'],
    ['an entry that is none', file({ a: null }), 'no dtype, shape'],
    ['numbers of four bits', file({ a: entry(0, 1, [2], 'F4') }, new Uint8Array(1)), 'kind "F4"'],
  ])('refuses %s by name', (_, bytes, why) => {
    expect(() => readSafetensors(bytes)).toThrow(
      expect.objectContaining({ code: 'weights-invalid', message: expect.stringContaining(why) }),
    );
  });

  it('takes a tensor named as a property that every object has', () => {
    const bytes = file('{"__proto__":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}', new Uint8Array(4));
    expect(readSafetensors(bytes)).toEqual([{ name: '__proto__', shape: [], values: new Float32Array(1) }]);
  });
});

describe('writeSafetensors', () => {
  it.each(['floats', 'metadata'] as const)('writes the bytes of the Python package: %s', (name) => {
    const { file, tensors } = cases[name];
    const bytes = Buffer.from(file, 'base64');
    const order = readSafetensors(bytes).map(({ name }) => name);
    const given = order.map((name) => {
      const { shape = [], values = [] } = tensors[name] ?? {};
      return { name, shape, values: Float32Array.from(values) };
    });
    expect(Buffer.from(writeSafetensors(given, name === 'metadata' ? { format: 'np' } : {}))).toEqual(bytes);
  });

  it('is read again, in its order, with the same bits', () => {
    fc.assert(
      fc.property(tensors, (given) => {
        const bytes = writeSafetensors(given, { note: 'x' });
        expect(readSafetensors(bytes)).toEqual(given);
      }),
    );
  });
});
