import { seededRandom, uniform } from '@coppice/ports';
import { expect, it } from 'vitest';
import { Monitor } from '../monitor/monitor.ts';
import { identityOf } from '../reference/reference.ts';
import { clusteredMean } from '../statistics/clustered-mean.ts';
import { guardEvidence } from './guards.ts';
import { binningOf, sumOf } from './population.testing.ts';
import { summarise } from './summarise.ts';

const binning = binningOf(1);
const identity = identityOf(binning);

it('is the mean of participants’ mean errors by arm, with the standard error of a sample mean', () => {
  const random = seededRandom('guards');
  const rates: Record<'canary' | 'control', number[]> = { canary: [], control: [] };
  const reports = Array.from({ length: 60 }, (_, i) => {
    const monitor = new Monitor(binning, identity);
    const arm = i % 3 === 0 ? 'canary' : i % 3 === 1 ? 'control' : null;
    monitor.guard(arm === null ? null : { canary: 2, arm, model: 'm' });
    // Devices with many predictions have fewer errors.
    const outcomes = 8 + 4 * (i % 5);
    let errors = 0;
    for (let j = 0; j < outcomes; j++) {
      const label = uniform(random) < 4 / outcomes ? 1 : 0;
      errors += label;
      monitor.observe({ columns: [0], prediction: 0, id: `${j}`, model: 'm' });
      monitor.outcome(`${j}`, label);
    }
    if (arm !== null && outcomes >= 10) rates[arm].push(errors / outcomes);
    return summarise(monitor.state(), binning, 10);
  });
  const told = reports.filter((report) => report !== null);
  const [guard, ...others] = guardEvidence(sumOf(binning, identity, told));
  expect(others).toEqual([]);
  expect(guard?.name).toBe('error');
  for (const arm of ['canary', 'control'] as const) {
    const own = rates[arm];
    const mean = own.reduce((sum, rate) => sum + rate, 0) / own.length;
    const squares = own.reduce((sum, rate) => sum + (rate - mean) ** 2, 0);
    const found = clusteredMean((guard as NonNullable<typeof guard>)[arm]);
    expect(guard?.[arm].clusters).toBe(own.length);
    expect(found?.mean).toBeCloseTo(mean, 5);
    expect(found?.cr1).toBeCloseTo(Math.sqrt(squares / (own.length * (own.length - 1))), 5);
  }
});
