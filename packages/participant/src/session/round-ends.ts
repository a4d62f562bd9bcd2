import type { RoundEnd } from '@coppice/protocol';
import type { SessionState } from '../session-state.ts';

const OUTCOMES_KEPT = 200;

/**
 * The changes that the end of a round makes for listeners.
 *
 * @param ownFault whether this device could not take part in that attempt: its own error says more than the reason of the
 *   round.
 */
export function afterRound(
  { accepted, outcomes }: Pick<SessionState, 'accepted' | 'outcomes'>,
  end: RoundEnd,
  ownFault: boolean,
): Pick<SessionState, 'lastRound' | 'accepted' | 'outcomes'> & Partial<Pick<SessionState, 'error'>> {
  const committed = end.outcome === 'committed';
  const outcome = { round: end.round, outcome: end.you, reason: end.reason };
  return {
    lastRound: end,
    accepted: accepted + (end.you === 'accepted' && committed ? 1 : 0),
    outcomes: [...outcomes, outcome].slice(-OUTCOMES_KEPT),
    ...(end.outcome === 'abandoned' && end.reason !== null && !ownFault ? { error: end.reason } : {}),
  };
}

/** Measurements of the global model by round, with a new one in place of an earlier one of its round. */
export function withMetrics(
  metrics: SessionState['localMetrics'],
  measured: SessionState['localMetrics'][number],
): SessionState['localMetrics'] {
  return [...metrics.filter(({ round }) => round !== measured.round), measured];
}
