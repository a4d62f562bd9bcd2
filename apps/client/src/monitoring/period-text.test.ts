import { expect, it } from 'vitest';
import { periodText } from './period-text.ts';

it.each([
  [86_400_000, '1 day'],
  [172_800_000, '2 days'],
  [5_400_000, '90 minutes'],
  [3_600_000, '1 hour'],
  [20_000, '20 seconds'],
  [1500, '1.5 seconds'],
])('%d ms are %s', (milliseconds, text) => {
  expect(periodText(milliseconds)).toBe(text);
});
