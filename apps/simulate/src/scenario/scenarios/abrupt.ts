import { everyDevice, policyOf } from '../policy.ts';
import type { Scenario } from '../scenario.ts';
import { digitStream, digits } from './digits.ts';

const CHANGE = 13;
const DEGREES = 40;
const size = { participants: 30, periods: 36, first: 500, each: 40 };
const again = everyDevice(digits, size, { rounds: 6, epochs: 4, window: 7, replayShare: 0.3 });

/** Handwritten digits that come turned from a moment on, as by a camera that hangs askew. */
export const abrupt: Scenario = {
  name: 'abrupt',
  summary: `Handwritten digits come turned by ${DEGREES} degrees from period ${CHANGE} on.`,
  size,
  changes: [{ period: CHANGE, until: null, kind: 'drift' }],
  stream: (sizes, seed) => digitStream(sizes, seed, (period) => (period < CHANGE ? 0 : DEGREES)),
  first: everyDevice(digits, size, { rounds: 20 }),
  again,
  every: 5,
  policies: [
    {
      period: 1,
      policy: policyOf({
        plan: again,
        // After the first answer, which has few new examples, more of them make the model better.
        floor: { error: 0.06, raise: 3 },
        coolDown: 3,
        canary: { participants: 30, margin: 0.1, periods: 2 },
      }),
    },
  ],
};
