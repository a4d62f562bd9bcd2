import { seededRandom, uniform } from '@coppice/ports';
import { expect, it } from 'vitest';
import { Monitor } from '../monitor/monitor.ts';
import type { Binning } from '../reference/binning.ts';
import { identityOf } from '../reference/reference.ts';
import { largestNorm } from './norm.ts';
import { refuses } from './refuses.ts';
import { summarise } from './summarise.ts';

const binning: Binning = {
  version: 1,
  recipe: 'ab'.repeat(32),
  columns: [
    ...['a', 'b', 'c'].map((name) => ({
      kind: 'number' as const,
      name,
      edges: [0.2, 0.4, 0.6, 0.8],
      range: [0, 0.1] as [number, number],
    })),
    { kind: 'category', name: 'd', values: 4 },
  ],
  prediction: { kind: 'class', classes: 3 },
  confidence: { edges: [0.5] },
};
const identity = identityOf(binning);
const MINIMUM = 10;
const normOf = (numbers: Float32Array) => Math.sqrt(numbers.reduce((sum, one) => sum + one ** 2, 0));

it('is not exceeded by any report, whatever was observed', () => {
  const random = seededRandom('norms');
  const bound = largestNorm(binning, MINIMUM);
  for (let device = 0; device < 60; device++) {
    const monitor = new Monitor(binning, identity);
    const same = uniform(random) < 0.5;
    const [missing, observations] = [uniform(random), 10 + Math.floor(uniform(random) * 100)];
    for (let i = 0; i < observations; i++) {
      const value = () => (uniform(random) < missing ? Number.NaN : same ? 0.9 : uniform(random));
      monitor.observe({
        columns: [value(), value(), value(), same ? 2 : Math.floor(5 * uniform(random))],
        prediction: same ? 1 : Math.floor(3 * uniform(random)),
        confidence: same ? 1 : uniform(random),
        id: `${i}`,
      });
      monitor.outcome(`${i}`, 0);
    }
    const numbers = summarise(monitor.state(), binning, MINIMUM) as Float32Array;
    const report = { recipe: binning.recipe, identity, numbers };
    expect(refuses(report, binning, identity, MINIMUM)).toBeNull();
    expect(normOf(numbers)).toBeLessThanOrEqual(bound);
  }
});

it('is nearly reached by a report with everything at its bound', () => {
  const monitor = new Monitor(binning, identity);
  monitor.guard({ canary: 1, arm: 'control', model: 'm' });
  // Of each column ten values, all in one bin and beyond the range, and missing else; every prediction wrong.
  for (let i = 0; i < 65_536; i++) {
    const value = i < MINIMUM ? 0.9 : Number.NaN;
    monitor.observe({
      columns: [value, value, value, value],
      prediction: 1,
      confidence: 1,
      id: `${i}`,
      model: 'm',
    });
    monitor.outcome(`${i}`, 0);
  }
  const numbers = summarise(monitor.state(), binning, MINIMUM) as Float32Array;
  expect(refuses({ recipe: binning.recipe, identity, numbers }, binning, identity, MINIMUM)).toBeNull();
  const norm = normOf(numbers);
  const bound = largestNorm(binning, MINIMUM);
  expect(norm).toBeLessThanOrEqual(bound);
  expect(norm / bound).toBeGreaterThan(0.95);
});
