import type { DoneEvent, RoundEvent } from '../events.ts';
import { formatLoss, formatPercent, formatRound, measured, plural } from './format.ts';

export interface Outcome {
  readonly title: string;
  readonly rounds: readonly RoundEvent[];
  readonly done: DoneEvent;
  readonly clients: number;
  readonly target: number | null;
  /** Planned rounds. */
  readonly planned: number;
  /** The way in which it ended before its time; null where it did not. */
  readonly early: 'interrupted' | 'failed' | null;
}

/** The result in one sentence. */
export function headline({ title, rounds, done, clients, target, planned, early }: Outcome): string {
  const who = `${title} with ${plural(clients, 'client')}`;
  if (early !== null) {
    const where = `${early} after ${done.rounds} of ${plural(planned, 'round')}`;
    if (measured(done.accuracy)) return `${who}: ${where}, at ${formatPercent(done.accuracy)} test accuracy.`;
    return `${who}: ${where}.`;
  }
  if (done.rounds === 0) return `${who}: no round was finished.`;
  const after = `after ${plural(done.rounds, 'round')}`;
  if (measured(done.accuracy)) {
    const accuracy = formatPercent(done.accuracy);
    if (target === null) return `${who}: ${accuracy} test accuracy ${after}.`;
    const goal = `${formatRound(target * 100)}%`;
    if (done.roundsToTarget !== null)
      return `${who}: the target accuracy of ${goal} was reached in round ${done.roundsToTarget}.`;
    return `${who}: ${accuracy} test accuracy ${after}, short of the target of ${goal}.`;
  }
  if (measured(done.error ?? null)) return `${who}: test error ${formatLoss(done.error ?? null)} ${after}.`;
  const loss = rounds.at(-1)?.loss;
  return measured(loss) ? `${who}: test loss ${formatLoss(loss)} ${after}.` : `${who}: ended ${after}.`;
}
