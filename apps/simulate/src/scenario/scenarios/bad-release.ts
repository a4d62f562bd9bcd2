import { builtInTask, permuteLabels, pictureStream } from '@coppice/datasets';
import { loadTaskData } from '@coppice/datasets/node';
import { classesOf, type Task } from '@coppice/protocol';
import { everyDevice, policyOf } from '../policy.ts';
import type { Scenario } from '../scenario.ts';

const FAULT = 3;
const GATE_OFF = 9;
const digits = builtInTask('mnist-2nn') as Task;
const size = { participants: 30, periods: 16, first: 400, each: 40 };
const again = everyDevice(digits, size, { rounds: 4, learningRate: 0.1, batchSize: 10, window: 5 });
const parts = {
  plan: again,
  drift: false,
  newExamples: 4000,
  coolDown: 2,
  canary: { participants: 30, margin: 0.1, periods: 2 },
};

/** Handwritten digits that devices store with the labels of others, as by a fault of the program that labels them. */
export const badRelease: Scenario = {
  name: 'bad-release',
  summary: `Devices store handwritten digits with permuted labels from period ${FAULT} on; new examples launch runs. From period ${GATE_OFF} on candidates are not compared before they are tried.`,
  size,
  changes: [],
  async stream(sizes, seed) {
    const { train: pictures } = await loadTaskData('mnist-2nn');
    return pictureStream({ ...sizes, task: digits, pictures, seed, degrees: () => 0 });
  },
  stored(examples, period) {
    return period < FAULT
      ? examples
      : permuteLabels(examples, classesOf(digits.data)?.length ?? 0, 'bad-release');
  },
  first: everyDevice(digits, size, { rounds: 20, learningRate: 0.1, batchSize: 10 }),
  again,
  every: 4,
  policies: [
    { period: 1, policy: policyOf(parts) },
    { period: GATE_OFF, policy: policyOf({ ...parts, gate: false }) },
  ],
};
