import { expect, it } from 'vitest';
import { confusableClasses } from './confusable-classes.ts';

it.each([
  [
    ['a', 'b', 'A'],
    ['a', 'A'],
  ],
  [
    ['\u00c4pfel', 'a\u0308pfel'],
    ['\u00c4pfel', 'a\u0308pfel'],
  ],
  [['cat', 'dog'], null],
] as const)('of %j are %j', (classes, pair) => {
  expect(confusableClasses(classes)).toEqual(pair);
});
