import type { Task } from '@coppice/protocol';
import { iris } from './iris.ts';
import { mnist2nn, mnistCnn } from './mnist.ts';
import { regression } from './regression.ts';

/** The built-in tasks, in the order of display. */
export const builtInTasks: readonly Task[] = [mnist2nn, mnistCnn, iris, regression];

/** Finds a built-in task; returns undefined where there is none. */
export function builtInTask(id: string): Task | undefined {
  return builtInTasks.find((task) => task.id === id);
}
