import { machineStream, machines } from '@coppice/datasets';
import { everyDevice, policyOf } from '../policy.ts';
import type { Scenario } from '../scenario.ts';

const FAULT = { from: 11, until: 20 };
const size = { participants: 20, periods: 30, first: 200, each: 50 };
const again = everyDevice(machines, size, { rounds: 5, window: 14 });

/** Readings of machines whose pressure sensors lose their connection for a while. The cure is a cable, and no new model. */
export const brokenSensor: Scenario = {
  name: 'broken-sensor',
  summary: `A third of the pressure readings of machines are lost in periods ${FAULT.from} to ${FAULT.until}.`,
  size,
  changes: [{ period: FAULT.from, until: FAULT.until, kind: 'fault' }],
  stream: async (sizes, seed) =>
    machineStream({
      ...sizes,
      seed,
      fault: (period) =>
        period >= FAULT.from && period <= FAULT.until ? { column: 'pressure', share: 1 / 3 } : null,
    }),
  first: everyDevice(machines, size, { rounds: 20 }),
  again,
  every: 5,
  policies: [
    {
      period: 1,
      policy: policyOf({
        plan: again,
        floor: { error: 0.4, raise: 1 },
        canary: { participants: 20, margin: 0.1, periods: 2 },
      }),
    },
  ],
};
