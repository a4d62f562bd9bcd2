import { type RunSummary, RunSummarySchema, type TaskInfo, TaskInfoSchema } from '@coppice/protocol';
import { effect } from '@preact/signals';
import { remembered } from '../link/remembered.ts';
import { session } from '../link/session.ts';

/** The last run and task on the page: its content while the coordinator is unreachable. */
export interface LastSeen {
  readonly run: RunSummary;
  readonly task: TaskInfo;
}

export const lastSeen = remembered<LastSeen | null>(
  'last-seen',
  null,
  (value): value is LastSeen | null => value === null || lastSeenIn(value),
);

/** Validates a stored value, which another version may have written. */
export function lastSeenIn(value: unknown): value is LastSeen {
  const { run, task } = (value ?? {}) as Partial<Record<keyof LastSeen, unknown>>;
  const [seenRun, seenTask] = [RunSummarySchema.safeParse(run), TaskInfoSchema.safeParse(task)];
  return seenRun.success && seenTask.success && seenRun.data.task === seenTask.data.id;
}

/** Stores the run and the task while connected. */
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
