import { MeasureSum, type Measures } from '@coppice/federation';
import { integerBelow, type RandomSource } from '@coppice/ports';
import type { ContributionLayout } from '@coppice/protocol';

/** Answers of a population of devices to one question. */
export type Pool = readonly Measures[];

/** Answers of so many devices, drawn from a pool with replacement: the pool is the population. */
export function drawFrom(pool: Pool, count: number, random: RandomSource): Measures[] {
  return Array.from({ length: count }, () => pool[integerBelow(random, pool.length)] as Measures);
}

/** The sum of answers, as an exchange makes it. */
export function sumOf(layout: ContributionLayout, answers: Iterable<Measures>): Measures {
  const sum = new MeasureSum(layout);
  for (const answer of answers) sum.add(answer);
  return sum.totals();
}
