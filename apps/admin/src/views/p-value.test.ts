import { expect, it } from 'vitest';
import { pEquation, pValueText } from './p-value.ts';

it('has two digits, and no row of zeros', () => {
  expect([0.5, 0.0304, 0.00012].map(pValueText)).toEqual(['0.5', '0.03', '0.00012']);
  expect([0, 1e-300, 0.00009].map(pValueText)).toEqual(['< 0.0001', '< 0.0001', '< 0.0001']);
  expect([0.03, 1e-300].map(pEquation)).toEqual(['p = 0.03', 'p < 0.0001']);
});
