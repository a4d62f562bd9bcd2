import type { MonitorState } from '@coppice/continuity';
import type { WatchedTask } from './task-source.ts';
import type { WatchTerms } from './terms.ts';

/** The form of what is kept: raised with every change of it. What was kept in another form is not read. */
export const KEPT_FORM = 1;

/** What a device keeps of one task's monitor, as JSON. */
export interface KeptMonitor {
  readonly form: typeof KEPT_FORM;
  /** The task, and what its predictions are counted for, so that counting goes on without the coordinator. */
  readonly task: WatchedTask;
  readonly terms: WatchTerms;
  readonly monitor: MonitorState;
  /** Counts of a report that was sent and not acknowledged; `null`: there is none. */
  readonly sent: MonitorState | null;
}

/**
 * The monitors that a device keeps, by task: counts and detectors, no inputs of predictions. What is kept of one task is at
 * most about 1 MB, and replaces what was kept before. Nothing of it is sent but as a report.
 *
 * Every method may throw CoppiceError `storage-full` (nothing was changed) or `storage-failed`.
 */
export interface KeptMonitors {
  /** As it was kept, unchecked: another version of this program may have written it. `null`: nothing is kept. */
  get(task: string): Promise<unknown>;
  put(task: string, kept: KeptMonitor): Promise<void>;
  remove(task: string): Promise<void>;
}
