import type { Task } from '@coppice/protocol';
import { iris } from './iris.ts';
import { mnist2nn, mnistCnn } from './mnist.ts';
import { regression } from './regression.ts';

/** The tasks that come with Coppice, in the order in which they are shown. */
export const builtInTasks: readonly Task[] = [mnist2nn, mnistCnn, iris, regression];

/** A built-in task, or undefined. */
export function builtInTask(id: string): Task | undefined {
  return builtInTasks.find((task) => task.id === id);
}
