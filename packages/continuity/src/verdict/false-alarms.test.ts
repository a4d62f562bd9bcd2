import { describe, expect, it } from 'vitest';
import { binningOf, drawSums, noisy, type Population } from '../report/population.testing.ts';
import { alike, expectRate, falseAlarms, referenceFor, verdictOf } from './judged.testing.ts';

/* More columns, populations and periods are in the long suite beside this file. */

describe('without drift', () => {
  it.each<[columns: number, population: Population, which: 'exact' | 'at most']>([
    [4, { participants: 20, examples: 25, differences: alike }, 'at most'],
    [4, { participants: 20, examples: 25, differences: { kind: 'means', deviation: 0.5 } }, 'exact'],
    [4, { participants: 20, examples: 25, differences: { kind: 'shares', concentration: 2 } }, 'at most'],
  ])('%i columns and %o: alarms are as rare as promised', (columns, population, which) => {
    expectRate(falseAlarms(binningOf(columns), population, 160, 10), 160, 1 / 10, which);
  });

  it('a few devices with few examples raise no more alarms than promised', () => {
    // The index is larger than the quadratic form here: held against bounds of that form it gave 78 alarms.
    const population = { participants: 5, examples: 10, differences: alike };
    expectRate(falseAlarms(binningOf(20), population, 200, 10), 200, 1 / 10, 'at most');
  });

  it('a few devices that differ raise no more alarms than promised, however many columns there are', () => {
    // With bounds for the estimated variance between devices there were 14 in a hundred periods.
    const population = {
      participants: 5,
      examples: 50,
      differences: { kind: 'means', deviation: 0.5 },
    } as const;
    expectRate(falseAlarms(binningOf(100), population, 60, 100), 60, 1 / 100, 'at most');
  });

  it('a few devices held against a reference of many raise no more alarms than promised', () => {
    // The variance between five devices alone is often far too small: there was an alarm in one of three periods.
    const binning = binningOf(20);
    const population = {
      participants: 5,
      examples: 50,
      differences: { kind: 'means', deviation: 0.5 },
    } as const;
    let alarms = 0;
    for (let period = 0; period < 60; period++) {
      const reference = referenceFor(binning, { ...population, participants: 60 }, 'many', period);
      const sums = drawSums(binning, population, 'many', period);
      if (verdictOf(sums, reference, { threshold: 0, every: 20 }).drift.alarm) alarms++;
    }
    expectRate(alarms, 60, 1 / 20, 'at most');
  });

  it.each([5, 8, 12])('%i devices of two kinds raise no more alarms than promised', (participants) => {
    // All devices of the period can be of the kind that none in the reference is of: means of them are far from normal.
    const columns = Array.from({ length: 20 }, (_, i) => ({
      kind: 'category' as const,
      name: `c${i}`,
      values: 2,
    }));
    const population = {
      participants,
      examples: 20,
      differences: { kind: 'shares', concentration: 0.05 },
      weights: [0.5, 0.5, 0],
    } as const;
    expectRate(falseAlarms(binningOf(0, { columns }), population, 300, 100), 300, 1 / 100, 'at most');
  });

  it('p-values of single histograms are below 0.05 in one of twenty, and what chance adds is taken off', () => {
    const binning = binningOf(4);
    const population = {
      participants: 30,
      examples: 40,
      differences: { kind: 'means', deviation: 0.4 },
    } as const;
    let [below, effects, all] = [0, 0, 0];
    for (let period = 0; period < 60; period++) {
      const reference = referenceFor(binning, population, 'p', period);
      const { drift } = verdictOf(drawSums(binning, population, 'p', period), reference);
      for (const { role, p, effect } of drift.results) {
        if (role !== 'input') continue;
        all++;
        effects += effect;
        if (p < 0.05) below++;
      }
    }
    expectRate(below, all, 0.05, 'exact');
    // Without the correction the mean would be that of chance, 0.05.
    expect(Math.abs(effects / all)).toBeLessThan(0.01);
  });

  it('noise in the sums raises no more alarms than promised', () => {
    const binning = binningOf(3);
    const population = { participants: 100, examples: 20, differences: alike } as const;
    const [every, periods, deviation] = [10, 60, 0.5];
    let alarms = 0;
    for (let period = 0; period < periods; period++) {
      const reference = referenceFor(binning, population, 'noise', period);
      const sums = noisy(drawSums(binning, population, 'noise', period), deviation, period);
      if (verdictOf(sums, reference, { threshold: 0, every, noise: deviation ** 2 }).drift.alarm) alarms++;
    }
    expectRate(alarms, periods, 1 / every, 'at most');
  });

  it('noise that hides rare categories makes no effect of them', () => {
    const columns = [{ kind: 'category' as const, name: 'colour', values: 3 }];
    const binning = binningOf(0, { columns });
    const weights = [0.9, 0.08, 0.015, 0.005];
    const population = { participants: 100, examples: 50, differences: alike, weights };
    const reference = referenceFor(binning, { ...population, participants: 300 }, 'rare');
    let effects = 0;
    for (let period = 0; period < 60; period++) {
      const sums = noisy(drawSums(binning, population, 'rare', period), 3, period);
      const { drift } = verdictOf(sums, reference, { noise: 9 });
      effects += drift.results.find(({ role }) => role === 'input')?.effect ?? 0;
    }
    // Noise of 0.03 in each share makes 0.16 of shares of 0.005 and 0.015, were they taken as they are.
    expect(Math.abs(effects / 60)).toBeLessThan(0.06);
  });
});
