import { builtInTask, pictureStream } from '@coppice/datasets';
import { loadTaskData } from '@coppice/datasets/node';
import type { Task } from '@coppice/protocol';
import { everyDevice, policyOf } from '../policy.ts';
import type { Scenario } from '../scenario.ts';

const CHANGE = 13;
const DEGREES = 40;
const digits = builtInTask('mnist-2nn') as Task;
const size = { participants: 30, periods: 36, first: 500, each: 40 };
const again = everyDevice(digits, size, {
  rounds: 6,
  epochs: 3,
  learningRate: 0.1,
  batchSize: 10,
  window: 7,
  replayShare: 0.3,
});

/** Handwritten digits that come turned from a moment on, as by a camera that hangs askew. */
export const abrupt: Scenario = {
  name: 'abrupt',
  summary: `Handwritten digits come turned by ${DEGREES} degrees from period ${CHANGE} on.`,
  size,
  changes: [{ period: CHANGE, until: null, kind: 'drift' }],
  async stream(sizes, seed) {
    const { train: pictures } = await loadTaskData('mnist-2nn');
    const degrees = (period: number) => (period < CHANGE ? 0 : DEGREES);
    return pictureStream({ ...sizes, task: digits, pictures, seed, degrees });
  },
  first: everyDevice(digits, size, { rounds: 20, learningRate: 0.1, batchSize: 10 }),
  again,
  every: 5,
  policies: [
    {
      period: 1,
      policy: policyOf({
        plan: again,
        floor: { error: 0.06, raise: 4 },
        canary: { participants: 30, margin: 0.1, periods: 2 },
      }),
    },
  ],
};
