import type { ImageData } from '@coppice/protocol';
import { anyBytes, anyText, attempt, damaged } from '@coppice/protocol/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { prepareImage } from './image.ts';
import { parseIdx } from './node/idx.ts';
import { parsePartition } from './partition/spec.ts';

/* What a person brings: any file there is. */

describe('an IDX file', () => {
  const whole = Uint8Array.from([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6]);
  it('of any content is as large as it says, or is refused by name', () => {
    fc.assert(
      fc.property(fc.oneof({ weight: 4, arbitrary: damaged(whole) }, anyBytes), (bytes) => {
        const result = attempt(() => parseIdx(bytes));
        if ('refused' in result) {
          expect(result.refused.code).toBe('data-invalid');
          return;
        }
        const { shape, values } = result.value;
        // In whole numbers of any size: a product of claims is no number that doubles can count.
        expect(BigInt(values.length)).toBe(shape.reduce((size, one) => size * BigInt(one), 1n));
        expect(values.buffer).toBe(bytes.buffer);
      }),
      { numRuns: 3000 },
    );
  });

  it('is not believed when its sizes multiply to more than a number can hold', () => {
    const claims = [...Array.from({ length: 40 }, () => [255, 255, 255, 255]), [0, 0, 0, 0]].flat();
    const { values } = parseIdx(Uint8Array.from([0, 0, 8, 41, ...claims]));
    expect(values).toHaveLength(0);
  });
});

describe('a picture', () => {
  const schema = fc.record({
    kind: fc.constant('image' as const),
    width: fc.integer({ min: 1, max: 40 }),
    height: fc.integer({ min: 1, max: 40 }),
    channels: fc.constantFrom(1 as const, 3 as const),
    classes: fc.constant<string[]>(['a', 'b']),
    ink: fc.constantFrom('light-on-dark' as const, 'any' as const),
  });

  it('of any size and content becomes an example of the size the task asks for, or is refused by name', () => {
    fc.assert(
      fc.property(
        schema,
        fc.nat(30),
        fc.nat(30),
        anyBytes,
        fc.boolean(),
        (image, width, height, bytes, whole) => {
          const length = whole ? width * height * 4 : bytes.length;
          const data = Uint8Array.from({ length }, (_, i) => bytes[i % bytes.length] ?? 0);
          const result = attempt(() => prepareImage({ width, height, data }, image));
          if ('refused' in result) {
            expect(result.refused.code).toBe('data-invalid');
            expect(whole && width > 0 && height > 0).toBe(false);
          } else expect(result.value).toHaveLength(image.width * image.height * image.channels);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('fills the largest drawing there may be', () => {
    const largest: ImageData = {
      kind: 'image',
      width: 1024,
      height: 1024,
      channels: 1,
      classes: ['a', 'b'],
      ink: 'light-on-dark',
    };
    const data = new Uint8Array(64 * 64 * 4).fill(255);
    for (let i = 0; i < 20; i++)
      for (let x = 20; x < 40; x++) data.fill(0, ((20 + i) * 64 + x) * 4, ((20 + i) * 64 + x) * 4 + 3);
    const example = prepareImage({ width: 64, height: 64, data }, largest);
    expect(example.some((byte) => byte > 200)).toBe(true);
  });
});

describe('how data is dealt out', () => {
  it('is read or refused by name', () => {
    const words = fc.string({
      unit: fc.constantFrom(
        'iid',
        'shards',
        'dirichlet',
        'by-column',
        'quantity-skew',
        'feature-skew',
        'continuous',
        'power',
        ':',
        '2',
        '0',
        '.',
        '-',
        'e',
        ' ',
      ),
    });
    fc.assert(
      fc.property(fc.oneof(words, anyText), (given) => {
        const result = attempt(() => parsePartition(given));
        if ('refused' in result) expect(result.refused.code).toBe('config-invalid');
      }),
      { numRuns: 1000 },
    );
  });
});
