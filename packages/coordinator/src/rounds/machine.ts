import { CoppiceError, type Phase, type RunStatus } from '@coppice/protocol';

/*
 * The run as an explicit state machine, pure: two tables and a step. A transition that is in no table cannot
 * happen: an attempt is a bug (an illegal phase) or a bad request (an illegal action).
 */

/** `give-up`: the coordinator pauses the run, because its rounds keep failing. */
export type RunAct = 'start' | 'pause' | 'resume' | 'stop' | 'finish' | 'give-up';

const statuses: Record<RunStatus, Partial<Record<RunAct, RunStatus>>> = {
  created: { start: 'running', stop: 'stopped' },
  running: { pause: 'paused', stop: 'stopped', finish: 'finished', 'give-up': 'paused' },
  // The round that was open when the run was paused still ends, and may be the last.
  paused: { resume: 'running', stop: 'stopped', finish: 'finished', 'give-up': 'paused' },
  finished: {},
  stopped: {},
  // No run becomes `failed` any more; earlier versions stored such runs.
  failed: {},
};

/** @throws CoppiceError `run-state`, naming the possible actions. */
export function nextStatus(status: RunStatus, act: RunAct): RunStatus {
  const next = statuses[status][act];
  if (next !== undefined) return next;
  const possible = Object.keys(statuses[status]).filter((name) => name !== 'finish' && name !== 'give-up');
  throw new CoppiceError(
    possible.length === 0 ? 'run-ended' : 'run-state',
    possible.length === 0
      ? `The run is ${status}; it cannot be changed any more. Launch a new one.`
      : `The run is ${status}, so "${act}" is not possible; possible now: ${possible.join(', ')}.`,
  );
}

export function isOver(status: RunStatus): boolean {
  return Object.keys(statuses[status]).length === 0;
}

export type RoundStep =
  /** Rounds are wanted. */
  | 'begin'
  /** A round that an earlier process left open resumes. */
  | 'recovered'
  /** Enough participants are present. */
  | 'enough'
  /** Enough participants are present to agree on the task's scaling first. */
  | 'agree'
  /** They agreed, or could not. */
  | 'agreement-over'
  | 'selected'
  | 'distributed'
  | 'collected'
  | 'aggregated'
  | 'evaluated'
  | 'committed'
  /** The round produced no model. */
  | 'abandoned'
  /** No more rounds are wanted for now. */
  | 'halted';

const phases: Record<Phase, Partial<Record<RoundStep, Phase>>> = {
  idle: { begin: 'waiting', recovered: 'collect', halted: 'idle' },
  waiting: { enough: 'select', agree: 'scaling', halted: 'idle' },
  scaling: { 'agreement-over': 'idle', halted: 'idle' },
  select: { selected: 'distribute', abandoned: 'idle' },
  distribute: { distributed: 'collect', abandoned: 'idle' },
  collect: { collected: 'aggregate', abandoned: 'idle' },
  aggregate: { aggregated: 'evaluate', abandoned: 'idle' },
  evaluate: { evaluated: 'commit', abandoned: 'idle' },
  commit: { committed: 'idle', abandoned: 'idle' },
};

export function nextPhase(phase: Phase, step: RoundStep): Phase {
  const next = phases[phase][step];
  if (next === undefined) throw new Error(`a round in phase "${phase}" cannot take the step "${step}"`);
  return next;
}
