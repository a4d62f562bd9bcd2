import { secretRandom } from '@coppice/ports';
import type { TensorSpec } from '@coppice/protocol';
import { expect, it } from 'vitest';
import { finish } from '../steps.ts';
import { MeasureSum } from '../sums/measure-sum.ts';
import { noisyTotals } from './noise.ts';

const tensor = (name: string, shape: number[], unit: number): TensorSpec => ({
  name,
  shape,
  role: 'measure',
  group: 'g',
  unit,
  bound: 1,
  weighted: 'one',
  precision: 'single',
});
const tensors = [tensor('whole', [400], 1), tensor('share', [400], 2 ** -20)];
const sum = new MeasureSum(tensors);
const values = Float64Array.from({ length: 400 }, (_, i) => i / 512);
for (let i = 0; i < 5; i++)
  sum.add(
    new Map([
      ['whole', values.map(Math.round)],
      ['share', values],
    ]),
  );
const noisy = (seed: string, variance = 9) =>
  finish(noisyTotals(sum.totals(), tensors, variance, secretRandom(seed)));

it('adds noise of one variance to every number, in whole units of its own', () => {
  const exact = sum.totals();
  const totals = noisy('a seed');
  for (const { name, unit } of tensors) {
    const added = [...(totals.get(name) as Float64Array)].map(
      (one, i) => one - (exact.get(name)?.[i] as number),
    );
    for (const one of added) expect(Number.isInteger(one / unit)).toBe(true);
    const variance = added.reduce((all, one) => all + one ** 2, 0) / added.length;
    // Four standard errors.
    expect(Math.abs(variance / 9 - 1)).toBeLessThan(4 * Math.sqrt(2 / 400));
    expect(Math.abs(added.reduce((all, one) => all + one, 0) / 400)).toBeLessThan((4 * 3) / 20);
  }
  expect(sum.totals()).toEqual(exact);
});

it('is the same with the same seed, and another with another', () => {
  expect(noisy('a seed')).toEqual(noisy('a seed'));
  expect(noisy('a seed')).not.toEqual(noisy('another'));
});

it('goes in slices', () => {
  const steps = noisyTotals(sum.totals(), tensors, 9, secretRandom('a seed'));
  let slices = 0;
  while (steps.next().done !== true) slices++;
  expect(slices).toBeGreaterThanOrEqual(10);
});
