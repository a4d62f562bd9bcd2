import { describe, expect, it } from 'vitest';
import { isAllowed } from './dependencies.ts';

describe('licences', () => {
  it.each([
    ['MIT', true],
    ['(MIT OR CC0-1.0)', true],
    ['GPL-3.0-only OR MIT', true],
    ['Apache-2.0 AND MIT', true],
    ['GPL-3.0-only AND MIT', false],
    ['AGPL-3.0-only', false],
    ['SEE LICENSE IN LICENSE.md', false],
    ['none named', false],
  ])('%s: allowed %s', (expression, expected) => {
    expect(isAllowed(expression)).toBe(expected);
  });
});
