import type { DataSchema } from '@coppice/protocol';
import { expect, it } from 'vitest';
import { selectExamples } from './examples.ts';
import { normalise, normaliseFeatures, trainerInputs } from './normalise.ts';

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

it('leaves the bytes of pictures to the trainer', () => {
  const bytes = Uint8Array.of(0, 51, 255);
  expect(trainerInputs(bytes, picture)).toBe(bytes);
  expect(trainerInputs(Float32Array.of(0, 51, 255), picture)).toEqual(Float32Array.of(0, 0.2, 1));
  expect(trainerInputs(raw.features, table)).toEqual(Float32Array.of(0, 2, 2, -2));
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
