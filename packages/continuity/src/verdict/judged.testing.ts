import { expect } from 'vitest';
import type { Binning } from '../reference/binning.ts';
import { type Reference, referenceOf } from '../reference/reference.ts';
import { drawSums, type Population } from '../report/population.testing.ts';
import type { Sums } from '../report/sums.ts';
import { AlarmBounds } from './alarm-bounds.ts';
import { judge, type Verdict, type VerdictOptions } from './verdict.ts';

const bounds = new AlarmBounds();

/** Participants that all have the same distribution. */
export const alike = { kind: 'none' } as const;

/** The verdict on a period, all slices at once. */
export function verdictOf(sums: Sums, reference: Reference, options: VerdictOptions = {}): Verdict {
  return finished(judge(sums, reference, bounds, options));
}

/** The result of all slices. */
export function finished<T>(steps: Generator<undefined, T, undefined>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** The reference of a population, as a statistics exchange makes it. */
export function referenceFor(
  binning: Binning,
  population: Population,
  ...path: (string | number)[]
): Reference {
  return referenceOf(binning, drawSums(binning, population, 'reference', ...path));
}

/** P[X ≤ k] of n trials with probability p. */
export function binomialLower(k: number, n: number, p: number): number {
  let [sum, term] = [0, (1 - p) ** n];
  for (let i = 0; i <= k; i++) {
    sum += term;
    term *= ((n - i) / (i + 1)) * (p / (1 - p));
  }
  return sum;
}

/** Holds a number of alarms in the interval that has a rate with 99.8 %, or below its upper end. */
export function expectRate(alarms: number, periods: number, rate: number, which: 'exact' | 'at most'): void {
  expect(1 - binomialLower(alarms - 1, periods, rate)).toBeGreaterThan(0.001);
  if (which === 'exact') expect(binomialLower(alarms, periods, rate)).toBeGreaterThan(0.001);
}

/**
 * Alarms in periods without drift, with a threshold of 0, so that chance alone decides. A reference is drawn anew for each
 * period.
 */
export function falseAlarms(
  binning: Binning,
  population: Population,
  periods: number,
  every: number,
): number {
  let alarms = 0;
  for (let period = 0; period < periods; period++) {
    const reference = referenceFor(binning, population, period);
    const sums = drawSums(binning, population, 'period', period);
    if (verdictOf(sums, reference, { threshold: 0, every }).drift.alarm) alarms++;
  }
  return alarms;
}
