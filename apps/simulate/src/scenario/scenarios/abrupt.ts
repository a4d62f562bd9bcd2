import { pictureStream } from '@coppice/datasets';
import { builtInTask } from '@coppice/datasets';
import { loadTaskData } from '@coppice/datasets/node';
import type { Task } from '@coppice/protocol';
import type { Scenario } from '../scenario.ts';

const CHANGE = 13;

/** Handwritten digits that come turned from a moment on, as by a camera that was mounted askew. */
export const abrupt: Scenario = {
  name: 'abrupt',
  summary: 'Handwritten digits come turned by 40 degrees from one period on.',
  size: { participants: 30, periods: 36, first: 500, each: 40 },
  changes: [{ period: CHANGE, until: null, kind: 'drift' }],
  async stream(size, seed) {
    const { train: pictures } = await loadTaskData('mnist-2nn');
    const task = builtInTask('mnist-2nn') as Task;
    return pictureStream({
      ...size,
      task,
      pictures,
      seed,
      degrees: (period) => (period < CHANGE ? 0 : 40),
    });
  },
  first: { rounds: 20, learningRate: 0.1, batchSize: 10 },
  again: { rounds: 8, learningRate: 0.1, batchSize: 10, window: 14, replayShare: 0.2 },
  every: 3,
  policies: [],
};
