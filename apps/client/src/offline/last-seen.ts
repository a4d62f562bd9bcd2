import type { RunSummary, TaskInfo } from '@coppice/protocol';
import { effect } from '@preact/signals';
import { remembered } from '../link/remembered.ts';
import { session } from '../link/session.ts';

/** The run and task last on the page: what it is about while there is no coordinator to ask. */
export interface LastSeen {
  readonly run: RunSummary;
  readonly task: TaskInfo;
}

export const lastSeen = remembered<LastSeen | null>('last-seen', null, isLastSeen);

function isLastSeen(value: unknown): value is LastSeen | null {
  if (value === null) return true;
  const { run, task } = value as Partial<LastSeen>;
  return (
    typeof run?.id === 'string' &&
    // Kept by an earlier page, it says less than this one shows.
    typeof run.admission === 'string' &&
    typeof task?.id === 'string' &&
    typeof task.data === 'object' &&
    run.task === task.id
  );
}

/** Keeps it up while connected. Offline, nothing new is known. */
export function rememberLastSeen(current: () => { run: RunSummary | null; task: TaskInfo | null }): void {
  effect(() => {
    const { run, task } = current();
    if (run === null || task === null || session.connection.value !== 'online') return;
    const before = lastSeen.value.peek();
    if (before?.run.id === run.id && before.run.round === run.round && before.run.status === run.status)
      return;
    lastSeen.set({ run, task });
  });
}
