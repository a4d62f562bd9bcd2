import { type DataSchema, exampleSize, inputSize, type TableData } from '@coppice/protocol';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { selectExamples } from './examples.ts';
import { normalise, normaliseFeatures, trainerExamples } from './normalise.ts';

const table: DataSchema = {
  kind: 'table',
  features: [
    { name: 'a', mean: 10, scale: 2 },
    { name: 'b', mean: 0, scale: 0.5 },
  ],
  target: { kind: 'number', name: 'c' },
};
const picture: DataSchema = { kind: 'image', width: 3, height: 1, channels: 1, classes: ['x', 'y'] };
const raw = { count: 2, features: Float32Array.of(10, 1, 14, -1), labels: Float32Array.of(7, 8) };

it('scales each column by its own mean and scale, and leaves labels alone', () => {
  expect(normalise(raw, table)).toEqual({
    count: 2,
    xs: Float32Array.of(0, 2, 2, -2),
    ys: Float32Array.of(7, 8),
  });
});

it('divides pixels by 255', () => {
  expect(normaliseFeatures(Uint8Array.of(0, 51, 255), picture)).toEqual(Float32Array.of(0, 0.2, 1));
});

it('brings pixels to the range of the task, to the nearest float32', () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  const signed = normaliseFeatures(bytes, { ...picture, range: '-1-1' });
  // Keras's preprocess_input of MobileNet: x / 127.5 − 1.
  for (const byte of bytes) expect(signed[byte]).toBeCloseTo(byte / 127.5 - 1, 6);
  expect([signed[0], signed[51], signed[255]]).toEqual([-1, Math.fround(-0.6), 1]);
  expect(normaliseFeatures(Float32Array.from(bytes), { ...picture, range: '-1-1' })).toEqual(signed);
  expect(normaliseFeatures(bytes, { ...picture, range: '0-255' })).toEqual(Float32Array.from(bytes));
  expect(normaliseFeatures(bytes, { ...picture, range: '0-1' })).toEqual(normaliseFeatures(bytes, picture));
});

it('leaves the bytes of pictures to the trainer', () => {
  const bytes = Uint8Array.of(0, 51, 255);
  const labels = Float32Array.of(1);
  const xsOf = (features: Uint8Array | Float32Array) =>
    trainerExamples({ count: 1, features, labels }, picture).xs;
  expect(xsOf(bytes)).toBe(bytes);
  expect(xsOf(Float32Array.of(0, 51, 255))).toEqual(Float32Array.of(0, 0.2, 1));
  expect(trainerExamples(raw, table)).toEqual(normalise(raw, table));
  // Not copied where nothing is scaled.
  expect(trainerExamples(raw, table).ys).toBe(raw.labels);
});

const mixed: TableData = {
  kind: 'table',
  features: [
    { name: 'a', mean: 10, scale: 2 },
    { kind: 'category', name: 'b', values: ['x', 'y', 'z'] },
    { kind: 'number', name: 'c', mean: 0, scale: 1 },
    { kind: 'category', name: 'd', values: ['only'] },
  ],
  target: { kind: 'number', name: 'e', mean: 100, scale: 20 },
};

it('gives each category a number of its own, in the order of the values, and any other value the last', () => {
  const rows = [
    [12, 0, 5, 0],
    [8, 2, -5, 1],
    [10, 3, 0, 0],
  ];
  const features = Float32Array.from(rows.flat());
  const labels = Float32Array.of(100, 60, 110);
  const inputs = [
    [1, 1, 0, 0, 0, 5, 1, 0],
    [-1, 0, 0, 1, 0, -5, 0, 1],
    [0, 0, 0, 0, 1, 0, 1, 0],
  ];
  expect(inputSize(mixed)).toBe(8);
  expect(exampleSize(mixed)).toBe(4);
  const expected = {
    count: 3,
    xs: Float32Array.from(inputs.flat()),
    ys: Float32Array.of(0, -2, 0.5),
  };
  expect(normalise({ count: 3, features, labels }, mixed)).toEqual(expected);
  expect(trainerExamples({ count: 3, features, labels }, mixed)).toEqual(expected);
  expect([...labels]).toEqual([100, 60, 110]);
});

it('takes what is no index of a category for any other value', () => {
  for (const index of [4, 1.5, -1, Number.NaN, 1e9])
    expect([...normaliseFeatures([10, index, 0, 0], mixed)].slice(1, 5)).toEqual([0, 0, 0, 1]);
});

it('loses nothing: the stored value is the place of the one', () => {
  const columns = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(
      columns.chain((sizes) =>
        fc.tuple(
          fc.constant(sizes),
          fc.array(fc.tuple(...sizes.map((size) => fc.nat(size))), { minLength: 1, maxLength: 5 }),
        ),
      ),
      ([sizes, rows]) => {
        const schema: TableData = {
          kind: 'table',
          features: sizes.map((size, i) => ({
            kind: 'category',
            name: `c${i}`,
            values: Array.from({ length: size }, (_, value) => `v${value}`),
          })),
          target: { kind: 'number', name: 'y' },
        };
        const xs = normaliseFeatures(Float32Array.from(rows.flat()), schema);
        const width = sizes.reduce((sum, size) => sum + size + 1, 0);
        expect(xs).toHaveLength(rows.length * width);
        const back = rows.map((_, row) => {
          let at = row * width;
          return sizes.map((size) => {
            const place = [...xs.subarray(at, at + size + 1)];
            at += size + 1;
            expect(place.reduce((sum, one) => sum + one, 0)).toBe(1);
            return place.indexOf(1);
          });
        });
        expect(back).toEqual(rows);
      },
    ),
  );
});

it('refuses sizes that disagree with the schema', () => {
  for (const wrong of [
    { ...raw, count: 3 },
    { ...raw, labels: Float32Array.of(1) },
  ]) {
    expect(() => normalise(wrong, table)).toThrow(expect.objectContaining({ code: 'data-invalid' }));
  }
  expect(() => normalise(raw, picture)).toThrow(expect.objectContaining({ code: 'data-invalid' }));
});

it('selects examples as copies, in the order asked for', () => {
  const picked = selectExamples(raw, [1, 0, 1]);
  expect(picked).toEqual({
    count: 3,
    features: Float32Array.of(14, -1, 10, 1, 14, -1),
    labels: Float32Array.of(8, 7, 8),
  });
  picked.features[0] = 0;
  expect(raw.features[2]).toBe(14);
  expect(selectExamples({ ...raw, features: Uint8Array.of(1, 2, 3, 4) }, [1]).features).toEqual(
    Uint8Array.of(3, 4),
  );
  expect(selectExamples(raw, [])).toEqual({
    count: 0,
    features: new Float32Array(0),
    labels: new Float32Array(0),
  });
});
