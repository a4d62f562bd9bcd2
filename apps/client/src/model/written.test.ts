import fc from 'fast-check';
import { expect, it } from 'vitest';
import { written } from './written.ts';

it.each([
  [Math.fround(5.1), 5.1],
  [47.620125, 47.620125],
  [Math.fround(47.620125), 47.620125],
  [1_700_000_030, 1_700_000_030],
  [0, 0],
  [-Math.fround(0.3), -0.3],
])('writes %d as %d', (value, short) => {
  expect(written(value)).toBe(short);
});

it('names every number that is stored', () => {
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
      expect(Math.fround(written(value)) === value).toBe(true);
    }),
  );
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      if (Math.fround(value) !== value) expect(written(value)).toBe(value);
    }),
  );
});
