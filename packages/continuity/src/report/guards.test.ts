import { seededRandom, uniform } from '@coppice/ports';
import { expect, it } from 'vitest';
import { Monitor } from '../monitor/monitor.ts';
import { identityOf } from '../reference/reference.ts';
import { clusteredMean } from '../statistics/clustered-mean.ts';
import { guardEvidence } from './guards.ts';
import { binningOf, noisy, sumOf } from './population.testing.ts';
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
  const [guard, ...others] = guardEvidence(sumOf('report', binning, identity, told));
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

it('takes noise on the sums into its standard error', () => {
  const report = (arm: 'canary' | 'control', errors: number) => {
    const monitor = new Monitor(binning, identity);
    monitor.guard({ canary: 2, arm, model: 'm' });
    for (let j = 0; j < 20; j++) {
      monitor.observe({ columns: [0], prediction: 0, id: `${j}`, model: 'm' });
      monitor.outcome(`${j}`, j < errors ? 1 : 0);
    }
    return summarise(monitor.state(), binning, 10) as Float32Array;
  };
  // Errors of 0.3 to 0.5, 400 devices in each arm.
  const reports = Array.from({ length: 800 }, (_, i) =>
    report(i % 2 === 0 ? 'canary' : 'control', 6 + (i % 5)),
  );
  const sums = sumOf('report', binning, identity, reports);
  const deviation = 4;
  const differences: number[] = [];
  let told = 0;
  for (let i = 0; i < 2000; i++) {
    const [guard] = guardEvidence(noisy(sums, deviation, i), deviation ** 2);
    const [ours, theirs] = [guard?.canary, guard?.control].map((of) => of && clusteredMean(of));
    differences.push((ours?.mean ?? Number.NaN) - (theirs?.mean ?? Number.NaN));
    told += ((ours?.cr1 ?? 0) ** 2 + (theirs?.cr1 ?? 0) ** 2) / 2000;
  }
  // Noise alone; devices differ as well.
  const byNoise = differences.reduce((sum, one) => sum + one ** 2, 0) / differences.length;
  const [quiet] = guardEvidence(sums);
  const byDevices = [quiet?.canary, quiet?.control].reduce(
    (sum, of) => sum + ((of && clusteredMean(of)?.cr1) ?? 0) ** 2,
    0,
  );
  expect(byNoise).toBeGreaterThan(byDevices);
  expect(told / (byNoise + byDevices)).toBeGreaterThan(0.93);
  expect(told / (byNoise + byDevices)).toBeLessThan(1.07);
});
