import type { Round } from '@coppice/protocol';

/**
 * The history of a run with one more record of a round in it, in the order of rounds and attempts.
 *
 * A round is known by its number and attempt. What has ended is not taken back by a record from when
 * it was still open: the history over HTTP and the live messages may overtake each other.
 */
export function withRound(history: readonly Round[], round: Round): readonly Round[] {
  const at = history.findLastIndex((known) => order(known, round) <= 0);
  const known = history[at];
  if (known === undefined || order(known, round) !== 0) return history.toSpliced(at + 1, 0, round);
  if (round.outcome === 'open' && known.outcome !== 'open') return history;
  return history.with(at, round);
}

/** Several records at once, as they come from the history over HTTP. */
export function withRounds(history: readonly Round[], rounds: readonly Round[]): readonly Round[] {
  return rounds.reduce(withRound, history);
}

function order(a: Round, b: Round): number {
  return a.round - b.round || a.attempt - b.attempt;
}
