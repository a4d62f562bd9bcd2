import { type RunSummary, RunSummarySchema, type TaskInfo, TaskInfoSchema } from '@coppice/protocol';
import { effect } from '@preact/signals';
import { remembered } from '../link/remembered.ts';
import { session } from '../link/session.ts';

/** The run and task last on the page: what it is about while there is no coordinator to ask. */
export interface LastSeen {
  readonly run: RunSummary;
  readonly task: TaskInfo;
}

export const lastSeen = remembered<LastSeen | null>(
  'last-seen',
  null,
  (value): value is LastSeen | null => value === null || lastSeenIn(value),
);

/** Whether it is what this version of the page keeps; another may have written there. */
export function lastSeenIn(value: unknown): value is LastSeen {
  const { run, task } = (value ?? {}) as Partial<Record<keyof LastSeen, unknown>>;
  const [seenRun, seenTask] = [RunSummarySchema.safeParse(run), TaskInfoSchema.safeParse(task)];
  return seenRun.success && seenTask.success && seenRun.data.task === seenTask.data.id;
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
