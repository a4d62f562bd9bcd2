import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitWeights, tensorsOf } from './fit-weights.ts';

const layout = [
  { name: 'dense/kernel', shape: [2, 1], trainable: true },
  { name: 'dense/bias', shape: [1], trainable: true },
  { name: 'scale', shape: [], trainable: false, frozen: true },
];
const given = tensorsOf(layout, Float32Array.of(1, 2, 3, 4));

describe('fitWeights', () => {
  it('puts weights of any order in that of the layout', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(given, { minLength: 3 }), (shuffled) => {
        expect(fitWeights(layout, shuffled)).toEqual(Float32Array.of(1, 2, 3, 4));
      }),
    );
  });

  const [kernel, bias, scale] = given as [(typeof given)[0], (typeof given)[0], (typeof given)[0]];
  it.each([
    ['a missing weight', [kernel, bias], 'the model has "scale"'],
    ['one left over', [...given, { ...bias, name: 'dense_1/bias' }], '"dense_1/bias" are no weights'],
    [
      'another name',
      [kernel, bias, { ...scale, name: 's' }],
      'has "scale", which are not among them, and "s"',
    ],
    ['one that is there twice', [...given, bias], '"dense/bias" is there twice'],
    [
      'a transposed shape',
      [{ ...kernel, shape: [1, 2] }, bias, scale],
      "shape [1, 2], the model's has [2, 1]",
    ],
    ['a number for a list of one', [kernel, { ...bias, shape: [] }, scale], "shape [], the model's has [1]"],
    ['fewer numbers than the shape has', [{ ...kernel, values: Float32Array.of(1) }, bias, scale], 'shape'],
    [
      'no number',
      [kernel, { ...bias, values: Float32Array.of(Number.NaN) }, scale],
      '"dense/bias" has a number',
    ],
    [
      'infinity',
      [{ ...kernel, values: Float32Array.of(0, -1 / 0) }, bias, scale],
      'not finite in float32, the 2th',
    ],
  ])('refuses %s by name', (_, tensors, why) => {
    expect(() => fitWeights(layout, tensors)).toThrow(
      expect.objectContaining({ code: 'weights-invalid', message: expect.stringContaining(why) }),
    );
  });

  it('names a few of many', () => {
    const many = Array.from({ length: 12 }, (_, i) => ({ name: `w${i}`, shape: [1], trainable: true }));
    expect(() => fitWeights(many, [])).toThrow('"w0", "w1", "w2", "w3", "w4" and 7 more');
  });
});
