import { expect, it } from 'vitest';
import { labelOf, saidOf } from './correction.tsx';

it('asks until an answer is saved, and never again for that input, whatever model answers it anew', () => {
  expect(saidOf(null, 'first')).toBeNull();
  const saved = { of: 'first', saved: true };
  expect([saidOf(saved, 'first'), saidOf(saved, 'of another model')]).toEqual(['saved', 'saved']);
});

it('says of an answer alone that it is too old to correct, and asks for the next one', () => {
  const gone = { of: 'first', saved: false };
  expect([saidOf(gone, 'first'), saidOf(gone, 'asked again')]).toEqual(['gone', null]);
});

it('saves the chosen label, else the predicted class, and no number that nobody gave', () => {
  expect(labelOf(null, 4, false)).toBe(4);
  expect(labelOf(0, 4, false)).toBe(0);
  expect(labelOf(null, null, false)).toBe(0);
  expect(labelOf(21.5, null, true)).toBe(21.5);
  // An empty input, too, is no number: nothing can be saved.
  expect([labelOf(null, null, true), labelOf(Number.NaN, null, true)].map(Number.isFinite)).toEqual([
    false,
    false,
  ]);
});
