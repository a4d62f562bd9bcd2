import { clickStream, clicks } from '@coppice/datasets';
import { everyDevice, policyOf } from '../policy.ts';
import type { Scenario } from '../scenario.ts';

const CHANGE = 18;
const size = { participants: 30, periods: 40, first: 200, each: 50 };
const again = everyDevice(clicks, size, { rounds: 20, epochs: 2, window: 2 });

/** Clicks of readers whose taste turns at once. The inputs stay as they are: the errors alone tell of it. */
export const clickThrough: Scenario = {
  name: 'click-through',
  summary: `Readers click what they did not before, and no longer what they did, from period ${CHANGE} on.`,
  size,
  changes: [{ period: CHANGE, until: null, kind: 'drift' }],
  stream: async (sizes, seed) =>
    clickStream({ ...sizes, seed, taste: (period) => (period < CHANGE ? 'usual' : 'turned') }),
  first: everyDevice(clicks, size, { rounds: 40 }),
  again,
  // Once a week.
  every: 7,
  policies: [
    {
      period: 1,
      policy: policyOf({
        plan: again,
        sinceAlarm: true,
        // The same headlines had other clicks before: older examples are wrong by now.
        older: null,
        floor: { error: 0.25, raise: 1 },
        canary: { participants: 30, margin: 0.1, periods: 2 },
      }),
    },
  ],
};
