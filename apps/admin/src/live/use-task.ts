import type { TaskInfo } from '@coppice/protocol';
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { fetchTasks } from './api.ts';
import { connection } from './live.ts';

/** Tasks by id, as far as fetched. A task never changes. */
const known = signal<ReadonlyMap<string, TaskInfo>>(new Map());

/** A task; `null` until it is fetched. */
export function useTask(id: string): TaskInfo | null {
  const live = connection.value === 'live';
  useEffect(() => {
    if (!live || known.peek().has(id)) return;
    fetchTasks().then(
      (tasks) => {
        known.value = new Map(tasks.map((task) => [task.id, task]));
      },
      // Fetched with the next connection.
      () => {},
    );
  }, [id, live]);
  return known.value.get(id) ?? null;
}
