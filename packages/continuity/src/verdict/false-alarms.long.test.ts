import { expect, it } from 'vitest';
import { binningOf, drawSums, type Population } from '../report/population.testing.ts';
import { alike, expectRate, falseAlarms, referenceFor, verdictOf } from './judged.testing.ts';

it.each<[columns: number, population: Population, which: 'exact' | 'at most']>([
  [3, { participants: 10, examples: 50, differences: alike }, 'at most'],
  [10, { participants: 30, examples: 30, differences: alike }, 'at most'],
  [30, { participants: 30, examples: 30, differences: alike }, 'at most'],
  [3, { participants: 100, examples: 20, differences: alike }, 'exact'],
  [3, { participants: 20, examples: 50, differences: { kind: 'means', deviation: 0.5 } }, 'exact'],
  [10, { participants: 50, examples: 20, differences: { kind: 'means', deviation: 0.3 } }, 'exact'],
  [3, { participants: 8, examples: 50, differences: { kind: 'means', deviation: 0.7 } }, 'at most'],
  [30, { participants: 5, examples: 50, differences: { kind: 'means', deviation: 0.3 } }, 'at most'],
  [30, { participants: 12, examples: 10, differences: { kind: 'means', deviation: 0.5 } }, 'at most'],
  [3, { participants: 20, examples: 50, differences: { kind: 'shares', concentration: 5 } }, 'at most'],
  [3, { participants: 20, examples: 50, differences: { kind: 'shares', concentration: 1 } }, 'at most'],
])('%i columns and %o: one period in twenty has an alarm without drift', (columns, population, which) => {
  expectRate(falseAlarms(binningOf(columns), population, 600, 20), 600, 1 / 20, which);
});

it('with rare categories alarms are as rare as promised', () => {
  const columns = [0, 1, 2].map((i) => ({ kind: 'category' as const, name: `c${i}`, values: 3 }));
  const binning = binningOf(0, { columns });
  const population = {
    participants: 30,
    examples: 100,
    differences: alike,
    weights: [0.9, 0.08, 0.015, 0.005],
  };
  expectRate(falseAlarms(binning, population, 600, 20), 600, 1 / 20, 'at most');
});

it('with its ordinary threshold and promise a quiet task has no more than its false alarms in 400 periods', () => {
  const binning = binningOf(10);
  for (const population of [
    { participants: 20, examples: 50, differences: alike },
    { participants: 20, examples: 50, differences: { kind: 'means', deviation: 0.5 } },
  ] as const) {
    const reference = referenceFor(binning, { ...population, participants: 100 }, 'quiet');
    let [drift, quality] = [0, 0];
    for (let period = 0; period < 400; period++) {
      const verdict = verdictOf(drawSums(binning, population, 'quiet', period), reference);
      if (verdict.drift.alarm) drift++;
      if (verdict.quality.alarm) quality++;
    }
    expectRate(drift, 400, 1 / 100, 'at most');
    expect(quality).toBe(0);
  }
});
