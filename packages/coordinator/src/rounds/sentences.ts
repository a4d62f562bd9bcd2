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

/** The event of a round in which updates counted for less than they came with; `null`: none did. */
export function shortenedSentence({ round, accepted, capped = 0, scaled = 0 }: Round): string | null {
  const parts = [
    ...(capped === 0 ? [] : [`${capped} at the weight cap`]),
    ...(scaled === 0 ? [] : [`${scaled} at the norm bound`]),
  ];
  if (parts.length === 0) return null;
  return `Round ${round}: of ${accepted} updates, ${parts.join(' and ')} counted for less than they came with.`;
}

/** The event of a model with running variances that would have been negative. */
export function variancesSentence(round: number, kept: number): string {
  return `Round ${round} would have made running variances of the model negative: ${kept} are 0 instead. An update held averages that no data has.`;
}

/** The event of a model of which no participant could tell a loss. */
export function noLossSentence(round: number, examples: number): string {
  return `The model of round ${round} has no finite loss on the ${examples} examples that participants hold out. The training has diverged, or updates spoiled the model.`;
}

export function committedSentence(round: Round): string {
  const megabytes = ((round.bytesUp + round.bytesDown) / 1e6).toFixed(1);
  const accuracy = round.central?.accuracy;
  const measured =
    accuracy === null || accuracy === undefined ? '' : ` · accuracy ${(accuracy * 100).toFixed(1)} %`;
  return `Round ${round.round} committed · ${round.accepted} of ${round.asked} returned · ${megabytes} MB${measured}`;
}
