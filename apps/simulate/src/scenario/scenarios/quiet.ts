import { machineStream, machines } from '@coppice/datasets';
import { everyDevice, policyOf } from '../policy.ts';
import type { Scenario } from '../scenario.ts';

const size = { participants: 20, periods: 204, first: 200, each: 50 };
const again = everyDevice(machines, size, { rounds: 5, window: 14 });

/** Readings of machines that stay as they are: what alarms there are, are false. */
export const quiet: Scenario = {
  name: 'quiet',
  summary: 'Readings of machines stay as they are for more than 200 periods.',
  size,
  changes: [],
  stream: async (sizes, seed) => machineStream({ ...sizes, seed, fault: () => null }),
  first: everyDevice(machines, size, { rounds: 20 }),
  again,
  every: 10,
  policies: [
    { period: 1, policy: policyOf({ plan: again, canary: { participants: 20, margin: 0.1, periods: 2 } }) },
  ],
};
