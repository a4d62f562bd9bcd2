import { permuteLabels } from '@coppice/datasets';
import { classesOf } from '@coppice/protocol';
import { everyDevice, policyOf } from '../policy.ts';
import type { Scenario } from '../scenario.ts';
import { digitStream, digits } from './digits.ts';

const FAULT = 3;
const GATE_OFF = 9;
const size = { participants: 30, periods: 16, first: 400, each: 40 };
const again = everyDevice(digits, size, { rounds: 4, window: 5 });
const parts = {
  plan: again,
  drift: false,
  newExamples: 4000,
  canary: { participants: 30, margin: 0.1, periods: 2 },
};

/** Handwritten digits that devices store with the labels of others, as by a fault of the program that labels them. */
export const badRelease: Scenario = {
  name: 'bad-release',
  summary: `Devices store handwritten digits with permuted labels from period ${FAULT} on; from period ${GATE_OFF} on candidates are no longer compared before they are tried.`,
  size,
  changes: [],
  stream: (sizes, seed) => digitStream(sizes, seed, () => 0),
  stored: (examples, period) =>
    period < FAULT ? examples : permuteLabels(examples, classesOf(digits.data)?.length ?? 0, 'bad-release'),
  first: everyDevice(digits, size, { rounds: 20 }),
  again,
  every: 4,
  policies: [
    { period: 1, policy: policyOf(parts) },
    { period: GATE_OFF, policy: policyOf({ ...parts, gate: false }) },
  ],
};
