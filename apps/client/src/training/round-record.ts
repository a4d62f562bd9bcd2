import type { SessionState } from '@coppice/participant';
import type { Metrics } from '@coppice/protocol';
import { effect, signal } from '@preact/signals';
import { chosen } from '../run/run.ts';
import { noteRound, type RoundTimes } from './eta.ts';

/** The global model's metrics on the coordinator's test data, by round. */
export interface CentralRecord {
  readonly run: string;
  readonly rounds: readonly { readonly round: number; readonly metrics: Metrics }[];
}

export const roundTimes = signal<RoundTimes | null>(null);
export const centralRecord = signal<CentralRecord | null>(null);

/** Adds a measurement, replacing an earlier one of the same round. */
export function noteCentral(
  record: CentralRecord | null,
  run: string,
  round: number,
  metrics: Metrics,
): CentralRecord {
  const before = record?.run === run ? record.rounds : [];
  const others = before.filter((one) => one.round !== round);
  return { run, rounds: [...others, { round, metrics }].sort((a, b) => a.round - b.round) };
}

/** Rounds in which this device's updates were accepted. */
export function acceptedRounds(outcomes: SessionState['outcomes']): ReadonlySet<number> {
  return new Set(outcomes.filter(({ outcome }) => outcome === 'accepted').map(({ round }) => round));
}

/** Collects the coordinator's metrics, since it reports only the newest. */
export function watchRounds(): void {
  effect(() => {
    const run = chosen.value;
    if (run === null) return;
    roundTimes.value = noteRound(roundTimes.peek(), run.id, run.round, Date.now());
    if (run.central !== null)
      centralRecord.value = noteCentral(centralRecord.peek(), run.id, run.round, run.central);
  });
}
