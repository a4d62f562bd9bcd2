import type { RandomSource } from '@coppice/ports';
import type { TensorSpec } from '@coppice/protocol';
import type { Measures } from '../contributions/measures.ts';
import type { Steps } from '../steps.ts';
import { discreteGaussian, rationalVariance } from './discrete-gaussian.ts';

/** Numbers in one slice: a few milliseconds of work. */
const SLICE = 64;

/**
 * Totals of measures with discrete Gaussian noise added to each of its numbers, in whole units of its tensor. They stay
 * as they are. With the same totals, variance and source the result is the same, to the bit.
 *
 * In slices: each `next` runs one.
 *
 * @param exact whole numbers of units below 2⁵³, by tensor (`MeasureSum.totals`).
 * @param tensors in the order in which noise is drawn.
 * @param variance of the noise in each number, in the numbers' own terms: with the unit u it is a whole number of u with the
 *   parameter `variance` / u².
 */
export function* noisyTotals(
  exact: Measures,
  tensors: readonly TensorSpec[],
  variance: number,
  random: RandomSource,
): Steps<Measures> {
  const totals = new Map<string, Float64Array>();
  let done = 0;
  for (const { name, unit } of tensors) {
    const inUnits = rationalVariance(variance / unit ** 2);
    const values = Float64Array.from(exact.get(name) ?? []);
    for (let i = 0; i < values.length; i++) {
      const units = BigInt(Math.round((values[i] as number) / unit));
      values[i] = Number(units + discreteGaussian(inUnits, random)) * unit;
      if (++done % SLICE === 0) yield;
    }
    totals.set(name, values);
  }
  return totals;
}
