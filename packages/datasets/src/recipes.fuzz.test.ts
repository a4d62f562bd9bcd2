import type { ImageData, TableData } from '@coppice/protocol';
import { anyBytes, anyText, attempt, damaged } from '@coppice/protocol/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyMapping, previewCsv, readCsv, suggestMapping } from './csv.ts';
import { prepareImage } from './image.ts';
import { parseIdx } from './node/idx.ts';
import { normalise } from './normalise.ts';
import { parsePartition } from './partition/spec.ts';

/* What a person brings: any file there is. */

const table: TableData = {
  kind: 'table',
  features: [
    { name: 'length', mean: 1, scale: 2, min: 0, max: 10 },
    { kind: 'category', name: '__proto__', values: ['2', 'constructor'] },
  ],
  target: { kind: 'class', name: 'kind', classes: ['constructor', 'b'] },
};
const number: TableData = { ...table, target: { kind: 'number', name: 'price' } };

const file = 'length,__proto__,kind\n1,2,b\n3,"4",constructor\n5;6;b\n"7\n8",9,1\n1e999,0x10,b\n';
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('utf8');
const csv = fc.oneof(
  { weight: 4, arbitrary: damaged(Buffer.from(file), Buffer.from(file, 'utf16le')).map(text) },
  fc.string({
    unit: fc.constantFrom(',', ';', '\t', '\n', '\r', '"', '1', '.', '-', 'e', 'b', '\0', '\uFEFF'),
  }),
  anyText,
);

describe('a CSV file', () => {
  it.each([
    ['classes', table],
    ['numbers', number],
  ])('of any content becomes examples of %s, or is refused by name', (_what, schema) => {
    fc.assert(
      fc.property(csv, fc.constantFrom(undefined, true, false), (content, header) => {
        const result = attempt(() => {
          const options = header === undefined ? {} : { header };
          const read = readCsv(content, options);
          expect(previewCsv(content, options).total).toBe(read.rows.length);
          return { read, examples: applyMapping(read, suggestMapping(read.columns, schema), schema) };
        });
        if ('refused' in result) {
          expect(['data-empty', 'data-invalid']).toContain(result.refused.code);
          return;
        }
        const { read, examples } = result.value;
        const skipped = examples.skipped.reduce((sum, { count }) => sum + count, 0);
        expect(examples.count + skipped).toBe(read.rows.length);
        const others = examples.unlisted.reduce((sum, { count }) => sum + count, 0);
        expect(others).toBe(examples.features.filter((value, at) => at % 2 === 1 && value === 2).length);
        const { xs, ys } = normalise(examples, schema);
        expect(xs.every(Number.isFinite) && ys.every(Number.isFinite)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});

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
