import { crc32 as zlibCrc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Codec, codecs, payloadBytes } from './codec.ts';
import { crc32 } from './crc32.ts';
import { CoppiceError } from './errors.ts';
import {
  decodeFrame,
  decodeHeader,
  encodeFrame,
  encodeHeader,
  FRAME_HEADER_BYTES,
  float32Payload,
  readFloat32Payload,
} from './frame.ts';
import { type Layout, layoutHash, layoutSize, utf8, weightsHash } from './layout.ts';
import { PIECE_BYTES } from './limits.ts';

const layout: Layout = [
  { name: 'a', shape: [2, 2], trainable: true },
  { name: 'b', shape: [], trainable: false },
];
const hash = layoutHash(layout);
const expected = { kind: 'contribution', layoutHash: hash, parameters: 5 } as const;
const frameOf = (values: readonly number[]) =>
  encodeFrame({
    kind: 'contribution',
    codec: 'float32',
    layoutHash: hash,
    parameters: values.length,
    payload: float32Payload(Float32Array.from(values)),
  });

describe('crc32', () => {
  it('is the CRC-32 of zlib', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(crc32(bytes)).toBe(zlibCrc32(bytes));
      }),
    );
  });
  it('gives the check value of the CRC catalogue', () => {
    expect(crc32(utf8('123456789'))).toBe(0xcbf43926);
  });
});

describe('a frame', () => {
  it('comes back as it went, from any offset in a buffer', () => {
    fc.assert(
      fc.property(fc.array(fc.float(), { minLength: 5, maxLength: 5 }), fc.nat(9), (values, offset) => {
        const bytes = frameOf(values);
        const shifted = new Uint8Array(bytes.length + offset).subarray(offset);
        shifted.set(bytes);
        // What Socket.IO hands out in Node.
        const buffer = Buffer.from(shifted.buffer, shifted.byteOffset, shifted.byteLength);
        expect(readFloat32Payload(decodeFrame(buffer, expected))).toEqual(Float32Array.from(values));
        const read = readFloat32Payload(decodeFrame(shifted, expected));
        expect(new Uint8Array(read.slice().buffer)).toEqual(new Uint8Array(Float32Array.from(values).buffer));
      }),
    );
  });

  it('may be checked with zlib instead', () => {
    const bytes = frameOf([1, 2, 3, 4, 5]);
    expect(decodeFrame(bytes, expected, (b) => zlibCrc32(b)).parameters).toBe(5);
  });

  it('is refused by name after any change of a single bit', () => {
    const bytes = frameOf([1, -2, 3.5, 0, 1e-20]);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const damaged = bytes.slice();
      damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(() => decodeFrame(damaged, expected)).toThrow(CoppiceError);
    }
  });

  it('is refused by name when truncated or lengthened, and never read past its end', () => {
    const bytes = frameOf([1, 2, 3, 4, 5]);
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeFrame(bytes.subarray(0, length), expected)).toThrow(
        expect.objectContaining({ code: 'frame-invalid' }),
      );
    }
    expect(() => decodeFrame(new Uint8Array([...bytes, 0]), expected)).toThrow(
      expect.objectContaining({ code: 'frame-invalid' }),
    );
  });

  it('survives any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(() => decodeFrame(bytes, expected)).toThrow(CoppiceError);
      }),
    );
  });

  it('of another model or kind is refused as such', () => {
    const other = layoutHash([{ name: 'a', shape: [5], trainable: true }]);
    const bytes = frameOf([1, 2, 3, 4, 5]);
    expect(() => decodeFrame(bytes, { ...expected, layoutHash: other })).toThrow(
      expect.objectContaining({ code: 'update-shape' }),
    );
    expect(() => decodeFrame(bytes, { ...expected, kind: 'weights' })).toThrow(
      expect.objectContaining({ code: 'update-shape' }),
    );
    expect(() => decodeFrame(bytes, { ...expected, parameters: 6 })).toThrow(
      expect.objectContaining({ code: 'update-shape' }),
    );
    const short = encodeFrame({
      kind: 'contribution',
      codec: 'float32',
      layoutHash: hash,
      parameters: 5,
      payload: new Uint8Array(16),
    });
    expect(() => decodeFrame(short, expected)).toThrow(expect.objectContaining({ code: 'frame-invalid' }));
  });

  it.each(Object.keys(codecs) as Codec[])('of %s has the bytes that codec and model say', (codec) => {
    const model = { parameters: 600_000, trainable: 500_000 };
    const large = { kind: 'contribution', layoutHash: hash, ...model } as const;
    const needed = payloadBytes(codec, model);
    const announced = (bytes: number) =>
      encodeHeader({ ...large, codec, payloadBytes: bytes, payloadChecksum: 0 });
    const small = needed + FRAME_HEADER_BYTES <= PIECE_BYTES;
    const read = () => decodeHeader(announced(needed), large);
    if (small) expect(read).toThrow(expect.objectContaining({ code: 'frame-invalid' }));
    else expect(read()).toMatchObject({ codec, payloadBytes: needed });
    for (const other of [needed - 4, needed + 4, 4 * model.parameters, 0xffff_ffff]) {
      if (other === needed) continue;
      expect(() => decodeHeader(announced(other), large)).toThrow(
        expect.objectContaining({ code: 'frame-invalid' }),
      );
    }
    const another = codec === 'float32' ? 'int8' : 'float32';
    if (!small) {
      expect(() => decodeHeader(announced(needed), { ...large, codec: another })).toThrow(
        expect.objectContaining({ code: 'update-shape' }),
      );
    }
    const whole = encodeFrame({ ...large, codec, payload: new Uint8Array(needed) });
    expect(decodeFrame(whole, large).codec).toBe(codec);
    if (codec !== 'float32')
      expect(() => decodeFrame(whole, { ...large, trainable: 400_000 })).toThrow(CoppiceError);
  });

  it('that was damaged may be sent again; one that is made wrongly is refused for good', () => {
    const bytes = frameOf([1, 2, 3, 4, 5]);
    const thrown = (of: Uint8Array) => {
      try {
        return decodeFrame(of, expected);
      } catch (error) {
        return error;
      }
    };
    const sealed = (at: number, value: number) => {
      const changed = bytes.slice();
      changed[at] = value;
      new DataView(changed.buffer).setUint32(36, zlibCrc32(changed.subarray(0, 36)), true);
      return changed;
    };
    expect(thrown(bytes.subarray(0, 50))).toMatchObject({ code: 'frame-invalid', retry: 'later' });
    expect(thrown(bytes.with(5, 1))).toMatchObject({ code: 'frame-invalid', retry: 'later' });
    // Version, kind, codec and the reserved byte.
    for (const [at, value] of [
      [4, 2],
      [5, 9],
      [6, 9],
      [7, 1],
    ] as const) {
      const error = thrown(sealed(at, value));
      expect(error).toMatchObject({ code: 'frame-invalid', retry: 'never' });
      expect((error as CoppiceError).message).not.toContain('again');
    }
  });

  it('has the header that docs/protocol.md shows', () => {
    const bytes = frameOf([1, 0, 0, 0, 0]);
    expect(FRAME_HEADER_BYTES).toBe(40);
    expect([...bytes.subarray(0, 8)]).toEqual([0x43, 0x50, 0x46, 0x31, 1, 2, 0, 0]);
    expect([...bytes.subarray(24, 32)]).toEqual([5, 0, 0, 0, 20, 0, 0, 0]);
    expect([...bytes.subarray(40, 44)]).toEqual([0, 0, 0x80, 0x3f]);
  });
});

describe('a layout', () => {
  it('counts its parameters, scalars as one', () => {
    expect(layoutSize(layout)).toBe(5);
  });
  it('has a hash that depends on names, shapes, order and what is trainable', () => {
    const hex = (l: Layout) => Buffer.from(layoutHash(l)).toString('hex');
    const [a, b] = layout as [Layout[number], Layout[number]];
    const variants = [
      layout,
      [b, a],
      [{ ...a, shape: [4] }, b],
      [{ ...a, trainable: false }, b],
      [{ ...a, name: 'c' }, b],
      [a],
    ];
    expect(new Set(variants.map(hex)).size).toBe(variants.length);
    expect(hex(layout)).toBe('b4d64181febe6c81a7f454d0856fcc55');
  });
  it('names weights by the SHA-256 of their bytes', () => {
    // printf '\x00\x00\x80\x3f' | sha256sum
    expect(weightsHash(new Float32Array([1]))).toBe(
      'e00e5eb9444182f352323374ef4e08ebcb784725fdd4fd612d7730540b3e0c8c',
    );
  });
});
