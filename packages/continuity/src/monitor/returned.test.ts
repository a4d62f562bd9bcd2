import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Binning } from '../reference/binning.ts';
import { identityOf } from '../reference/reference.ts';
import { Monitor, type Observation } from './monitor.ts';
import { withReturned } from './returned.ts';
import { readMonitorState } from './state.ts';

const binning: Binning = {
  version: 1,
  recipe: 'ab'.repeat(32),
  columns: [
    { kind: 'number', name: 'x', edges: [0, 1], range: [-1, 2] },
    { kind: 'category', name: 'c', values: 2 },
  ],
  prediction: { kind: 'class', classes: 3 },
  confidence: { edges: [0.5] },
};
const identity = identityOf(binning);

/** Predictions with their outcomes. */
const predictions = fc.array(
  fc.record({
    x: fc.oneof(fc.double({ min: -3, max: 3, noNaN: true }), fc.constant(Number.NaN)),
    category: fc.nat(3),
    prediction: fc.nat(2),
    confidence: fc.double({ min: 0, max: 1, noNaN: true }),
    label: fc.nat(2),
  }),
  { maxLength: 30 },
);
type Drawn = typeof predictions extends fc.Arbitrary<infer T> ? T : never;

function observe(monitor: Monitor, drawn: Drawn, from: number): void {
  for (const [i, { x, category, prediction, confidence, label }] of drawn.entries()) {
    const observation: Observation = { columns: [x, category], prediction, confidence, id: `${from + i}` };
    monitor.observe(observation);
    monitor.outcome(`${from + i}`, label);
  }
}

it('counts as if no report had been begun', () => {
  fc.assert(
    fc.property(predictions, predictions, (before, after) => {
      const whole = new Monitor(binning, identity);
      const parted = new Monitor(binning, identity);
      for (const monitor of [whole, parted]) {
        monitor.begin(4);
        observe(monitor, before, 0);
      }
      const put = parted.state();
      parted.begin(5);
      for (const monitor of [whole, parted]) observe(monitor, after, before.length);
      const back = withReturned(parted.state(), put);
      // Warnings name the period in which they came.
      expect({ ...back, warnings: null }).toEqual({ ...whole.state(), warnings: null });
      expect(readMonitorState(JSON.parse(JSON.stringify(back)), binning, identity)).not.toBeNull();
    }),
  );
});
