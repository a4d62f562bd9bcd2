import type { RunStatus, RunSummary } from '@coppice/protocol';
import type { Activity } from './session-state.ts';

/** Facts that decide the activity of a device that works on no question. */
export interface Facts {
  /** The run that was joined; `null`: none. */
  readonly run: string | null;
  readonly runs: readonly RunSummary[];
  /** The run of which the coordinator said that nothing more will be asked; `null`: none. */
  readonly ended: string | null;
  readonly paused: boolean;
  /** Examples on this device. */
  readonly examples: number;
}

/** Whether a run of this status will train no more. */
export function isOver(status: RunStatus | undefined): boolean {
  return status === 'finished' || status === 'stopped' || status === 'failed';
}

/** The activity between two questions. */
export function restingActivity({ run, runs, ended, paused, examples }: Facts): Activity {
  if (run === null) return { kind: 'idle' };
  if (run === ended || isOver(runs.find(({ id }) => id === run)?.status)) return { kind: 'ended' };
  if (paused) return { kind: 'paused' };
  return examples === 0 ? { kind: 'needs-data' } : { kind: 'waiting' };
}
