import type { Round, RunStatus, WireError } from '@coppice/protocol';

/* What the event log says, in one place. */

export const runSentences: Record<RunStatus, string> = {
  created: 'The run was created.',
  running: 'The run is running.',
  paused: 'The run is paused: the open round ends, no other begins.',
  finished: 'The run is finished.',
  stopped: 'The run was stopped.',
  failed: 'The run failed.',
};

/** The event of a run that its coordinator pauses. */
export function pausedSentence(reason: WireError): string {
  return `The run is paused until an admin resumes it: ${reason.message}`;
}

export function committedSentence(round: Round): string {
  const megabytes = ((round.bytesUp + round.bytesDown) / 1e6).toFixed(1);
  const accuracy = round.central?.accuracy;
  const measured =
    accuracy === null || accuracy === undefined ? '' : ` · accuracy ${(accuracy * 100).toFixed(1)} %`;
  return `Round ${round.round} committed · ${round.accepted} of ${round.asked} returned · ${megabytes} MB${measured}`;
}
