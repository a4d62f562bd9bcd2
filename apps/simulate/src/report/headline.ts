import type { DoneEvent, RoundEvent } from '../events.ts';
import { formatLoss, formatPercent, formatRound, measured, plural } from './format.ts';

export interface Outcome {
  readonly title: string;
  readonly rounds: readonly RoundEvent[];
  readonly done: DoneEvent;
  readonly clients: number;
  readonly target: number | null;
}

/** The result in one sentence. */
export function headline({ title, rounds, done, clients, target }: Outcome): string {
  const who = `${title} with ${plural(clients, 'client')}`;
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
  const loss = rounds.at(-1)?.loss;
  return measured(loss) ? `${who}: test loss ${formatLoss(loss)} ${after}.` : `${who}: ended ${after}.`;
}
