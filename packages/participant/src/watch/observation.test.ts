import type { DataSchema } from '@coppice/protocol';
import { expect, it } from 'vitest';
import { observationOf } from './observation.ts';

const picture: DataSchema = { kind: 'image', width: 2, height: 1, channels: 1, classes: ['a', 'b', 'c'] };
const scaled: DataSchema = {
  kind: 'table',
  features: [
    { name: 'x', mean: 10, scale: 2 },
    { kind: 'category', name: 'colour', values: ['red', 'blue'] },
  ],
  target: { kind: 'number', name: 'y', mean: 100, scale: 10 },
};

it('takes brightness and contrast of a picture, the likeliest class and its probability', () => {
  const prediction = { example: Uint8Array.of(0, 255), output: [0.25, 0.5, 0.25], id: 'a' };
  expect(observationOf(prediction, picture)).toEqual({
    columns: [0.5, 0.5],
    prediction: 1,
    confidence: 0.5,
    id: 'a',
  });
});

it('takes four columns of the features of a picture that the model has', () => {
  const prediction = { example: Uint8Array.of(0, 255), output: [0.25, 0.5, 0.25], features: [3] };
  const columns = observationOf(prediction, picture)?.columns as number[];
  expect(columns).toHaveLength(6);
  expect(columns.slice(2).map(Math.abs)).toEqual([1, 1, 1, 1]);
});

it('takes raw columns of a table, and the prediction in the unit of the target', () => {
  const example = Float32Array.of(14, 2);
  expect(observationOf({ example, output: [-1.5] }, scaled)).toEqual({ columns: example, prediction: 85 });
});

it('takes the first of classes that are equally likely, and no probability beyond 1', () => {
  const prediction = { example: Uint8Array.of(0, 0), output: [1.0000001, 1.0000001, 0] };
  expect(observationOf(prediction, picture)).toMatchObject({ prediction: 0, confidence: 1 });
});

it('counts nothing of a model that gives no finite numbers', () => {
  const example = Uint8Array.of(0, 0);
  expect(observationOf({ example, output: [0.5, Number.NaN, 0.5] }, picture)).toBeNull();
  expect(
    observationOf({ example: Float32Array.of(1, 0), output: [Number.POSITIVE_INFINITY] }, scaled),
  ).toBeNull();
});

it.each([
  ['bytes of another picture', { example: Uint8Array.of(1), output: [1, 0, 0] }, picture],
  ['numbers for a picture', { example: Float32Array.of(1, 1), output: [1, 0, 0] }, picture],
  ['a row of another table', { example: Float32Array.of(1), output: [1] }, scaled],
  ['classes that the task does not have', { example: Uint8Array.of(1, 1), output: [1, 0] }, picture],
  ['an id without a character', { example: Uint8Array.of(1, 1), output: [1, 0, 0], id: '' }, picture],
])('refuses %s', (_name, prediction, data) => {
  expect(() => observationOf(prediction, data)).toThrow(expect.objectContaining({ code: 'data-invalid' }));
});
