import { awaitsScaling, type TaskInfo } from '@coppice/protocol';
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { fetchTasks } from './api.ts';
import { connection } from './live.ts';

/** Tasks by id, as far as fetched. */
const known = signal<ReadonlyMap<string, TaskInfo>>(new Map());

/**
 * A task; `null` until it is fetched.
 *
 * @param step of its run: where a scaling is awaited, it is fetched again when the run takes a step.
 */
export function useTask(id: string, step = ''): TaskInfo | null {
  const live = connection.value === 'live';
  useEffect(() => {
    const before = known.peek().get(id);
    if (!live || (before !== undefined && !awaitsScaling(before.data))) return;
    fetchTasks().then(
      (tasks) => {
        known.value = new Map(tasks.map((task) => [task.id, task]));
      },
      // Fetched with the next connection.
      () => {},
    );
  }, [id, live, step]);
  return known.value.get(id) ?? null;
}
