import { everyDevice, policyOf } from '../policy.ts';
import type { Scenario } from '../scenario.ts';
import { digitStream, digits } from './digits.ts';

const CHANGE = 13;
const DEGREES = 40;
const size = { participants: 30, periods: 36, first: 500, each: 40 };
const again = everyDevice(digits, size, { rounds: 12, epochs: 2, window: 7, replayShare: 0.3 });

/** Handwritten digits that come turned from a moment on, as by a camera that hangs askew. */
export const abrupt: Scenario = {
  name: 'abrupt',
  summary: `Handwritten digits come turned by ${DEGREES} degrees from period ${CHANGE} on.`,
  size,
  changes: [{ period: CHANGE, until: null, kind: 'drift' }],
  stream: (sizes, seed) => digitStream(sizes, seed, (period) => (period < CHANGE ? 0 : DEGREES)),
  first: everyDevice(digits, size, { rounds: 40 }),
  again,
  every: 5,
  policies: [
    {
      period: 1,
      policy: policyOf({
        plan: again,
        sinceAlarm: true,
        // Digits come turned alone: what is lost on upright ones is no loss.
        older: null,
        // The first answer has few new examples. More of them make the model better, for as many rounds as the budget has.
        floor: { error: 0.05, raise: 1 },
        coolDown: 5,
        rounds: 36,
        // The comparison decides: half of the devices would keep the old model for two periods more.
        canary: null,
      }),
    },
  ],
};
