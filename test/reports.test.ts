import {
  AlarmBounds,
  type Binning,
  identityOf,
  judge,
  Monitor,
  referenceOf,
  refuses,
  reportLayout,
  summarise,
  type Verdict,
} from '@coppice/continuity';
import { decodeMeasures, MeasureSum, measuresOf } from '@coppice/federation';
import { normal, seededRandom, uniform } from '@coppice/ports';
import { contributionSize } from '@coppice/protocol';
import { expect, it } from 'vitest';

/* Reports of devices as the coordinator's exact sums take them. */

const binning: Binning = {
  version: 1,
  recipe: 'ab'.repeat(32),
  columns: [
    { kind: 'number', name: 'size', edges: [-1, -0.5, 0, 0.5, 1], range: [-5, 5] },
    { kind: 'category', name: 'colour', values: 3 },
  ],
  prediction: { kind: 'class', classes: 2 },
  confidence: { edges: [0.6, 0.8, 0.9] },
};

/** Reports of devices whose sizes have this mean, made with what `identity` names. */
function reportsOf(identity: string, mean: number, seed: string): Float32Array[] {
  const random = seededRandom(seed);
  return Array.from({ length: 30 }, () => {
    const monitor = new Monitor(binning, identity);
    monitor.begin(1);
    for (let i = 0; i < 60; i++) {
      const columns = [mean + normal(random), Math.floor(3 * uniform(random))];
      monitor.observe({ columns, prediction: i % 2, confidence: uniform(random), id: `${i}` });
      monitor.outcome(`${i}`, 0);
    }
    return summarise(monitor.state(), binning) as Float32Array;
  });
}

/** Their exact sum, by way of partial sums on so many servers. */
function sumOf(identity: string, reports: readonly Float32Array[], servers: number) {
  const tensors = measuresOf(reportLayout(binning, identity));
  const parts = Array.from({ length: servers }, () => new MeasureSum(tensors));
  for (const [i, numbers] of reports.entries()) {
    expect(refuses({ recipe: binning.recipe, identity, numbers }, binning, identity)).toBeNull();
    parts[i % servers]?.add(decodeMeasures(tensors, numbers));
  }
  const total = new MeasureSum(tensors);
  for (const part of parts) total.merge(part.partial());
  return total.totals();
}

function verdictOf(...of: Parameters<typeof judge>): Verdict {
  const steps = judge(...of);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

it('reports are summed exactly, whatever servers sum parts of them, and judged by the sum', () => {
  const draft = identityOf(binning);
  expect(reportsOf(draft, 0, 'length')[0]).toHaveLength(contributionSize(reportLayout(binning, draft)));
  const reference = referenceOf(binning, sumOf(draft, reportsOf(draft, 0, 'reference'), 1));
  const identity = identityOf(reference);
  const bounds = new AlarmBounds();
  const quiet = reportsOf(identity, 0, 'quiet');
  const verdict = verdictOf(sumOf(identity, quiet, 1), reference, bounds);
  expect(verdict).toMatchObject({ participants: 30, observations: 1800, drift: { alarm: false, tested: 4 } });
  expect(verdict.errors?.rate).toBe(0.5);
  expect(verdictOf(sumOf(identity, quiet, 4), reference, bounds)).toEqual(verdict);
  const moved = verdictOf(sumOf(identity, reportsOf(identity, 1, 'moved'), 3), reference, bounds);
  expect(moved.drift.alarm).toBe(true);
  expect(moved.drift.results[0]).toMatchObject({ name: 'size', role: 'input', alarm: true });
});

it('the measures of federation bound a report as its layout says', () => {
  const identity = identityOf(binning);
  const tensors = measuresOf(reportLayout(binning, identity));
  const [numbers] = reportsOf(identity, 0, 'bounds') as [Float32Array];
  numbers[0] = 1.5;
  expect(() => decodeMeasures(tensors, numbers)).toThrow(/may add 1 at most/);
});
