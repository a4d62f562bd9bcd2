import type { RandomSource } from '@coppice/ports';
import type { TensorSpec } from '@coppice/protocol';
import type { Measures } from '../contributions/measures.ts';
import type { Steps } from '../steps.ts';
import type { MeasureSum } from '../sums/measure-sum.ts';
import { discreteGaussian, rationalVariance } from './discrete-gaussian.ts';

/** Numbers in one slice: a few milliseconds of work. */
const SLICE = 64;

/**
 * The totals of a sum with discrete Gaussian noise added to each of its numbers, in whole units of its tensor. The sum stays
 * as it is. With the same sum, variance and source the result is the same, to the bit.
 *
 * In slices: each `next` runs one.
 *
 * @param tensors of the sum, in its order.
 * @param variance of the noise in each number, in the numbers' own terms: with the unit u it is a whole number of u with the
 *   parameter `variance` / u².
 */
export function* noisyTotals(
  sum: Pick<MeasureSum, 'partial'>,
  tensors: readonly TensorSpec[],
  variance: number,
  random: RandomSource,
): Steps<Measures> {
  const { units: exact } = sum.partial();
  const totals = new Map<string, Float64Array>();
  let done = 0;
  for (const { name, unit } of tensors) {
    const inUnits = rationalVariance(variance / unit ** 2);
    const values = new Float64Array(exact[name]?.length ?? 0);
    for (const [i, units] of (exact[name] ?? []).entries()) {
      values[i] = Number(BigInt(units) + discreteGaussian(inUnits, random)) * unit;
      if (++done % SLICE === 0) yield;
    }
    totals.set(name, values);
  }
  return totals;
}
