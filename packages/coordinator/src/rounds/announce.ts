import { briefMetrics, type Outcome, type Reason } from '@coppice/protocol';
import { outward } from '../outward.ts';
import type { Audience } from './audience.ts';
import type { OpenRound } from './open-round.ts';
import type { RunState } from './run-state.ts';

/** Announces the end of the round to all members. */
export function announceEnd(
  { opening, exchange }: OpenRound,
  state: RunState,
  audience: Audience,
  ending: { outcome: 'committed' | 'abandoned'; reason: Reason | null },
): void {
  const { cohort } = exchange;
  for (const [id, member] of cohort.entries()) {
    const row = state.members.get(id);
    if (row === undefined) continue;
    row.progress = null;
    // A round that came to nothing says nothing of its members.
    if (member.missed && ending.outcome === 'committed') row.roundsMissed++;
  }
  const groups = new Map<Outcome | null, string[]>();
  for (const id of state.members.here()) {
    const you = cohort.get(id)?.outcome ?? null;
    const group = groups.get(you);
    if (group === undefined) groups.set(you, [id]);
    else group.push(id);
  }
  for (const [you, ids] of groups) {
    audience.send(ids, 'round-end', {
      run: state.record.id,
      round: opening.round,
      attempt: opening.attempt,
      outcome: ending.outcome,
      reason: ending.reason && outward(ending.reason),
      checkpoint: state.model.hash,
      central: ending.outcome === 'committed' ? briefMetrics(state.central) : null,
      accepted: cohort.accepted,
      asked: cohort.size,
      you,
    });
  }
}

/** Announces the end of the run to all members. */
export function announceRunEnd({ record, members }: RunState, audience: Audience): void {
  const { id, status, reason } = record;
  audience.send(members.here(), 'run-end', { run: id, status, reason: reason && outward(reason) });
}
