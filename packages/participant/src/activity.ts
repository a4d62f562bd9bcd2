import type { RunStatus, RunSummary } from '@coppice/protocol';
import type { Activity } from './session-state.ts';

/** Facts that determine the activity of a device between questions. */
export interface Facts {
  /** The joined run; `null`: none. */
  readonly run: string | null;
  readonly runs: readonly RunSummary[];
  /** The run that the coordinator declared over; `null`: none. */
  readonly ended: string | null;
  readonly paused: boolean;
  /** Examples on this device. */
  readonly examples: number;
}

/** Checks that a run of this status will train no more. */
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
