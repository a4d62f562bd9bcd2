import { CoppiceError } from '@coppice/protocol';
import type { TaskData } from '../examples.ts';
import { regressionData } from '../tasks/regression.ts';
import { loadIris } from './iris.ts';
import { loadMnist } from './mnist.ts';

// Both MNIST tasks share one copy.
const mnist = once(loadMnist);

const loaders: Readonly<Record<string, () => Promise<TaskData>>> = {
  'mnist-2nn': mnist,
  'mnist-cnn': mnist,
  iris: once(async () => loadIris()),
  regression: once(async () => regressionData()),
};

/** Checks that `loadTaskData` knows the task. */
export function hasTaskData(task: string): boolean {
  return Object.hasOwn(loaders, task);
}

/**
 * Loads the data of a built-in task, once per process: all callers share the arrays, so don't write to them.
 *
 * @throws CoppiceError `task-unknown`
 */
export async function loadTaskData(task: string): Promise<TaskData> {
  const load = hasTaskData(task) ? loaders[task] : undefined;
  if (!load) {
    throw new CoppiceError(
      'task-unknown',
      `No data comes with a task "${task}". Those with data: ${Object.keys(loaders).join(', ')}.`,
    );
  }
  return load();
}

function once(load: () => Promise<TaskData>): () => Promise<TaskData> {
  let loaded: Promise<TaskData> | undefined;
  return () => {
    loaded ??= load();
    return loaded;
  };
}
