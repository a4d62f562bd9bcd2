import type { Outcome, Reason } from '@coppice/protocol';
import type { Exchange } from '../exchanges/exchange.ts';
import { outward } from '../outward.ts';
import type { Audience, Bytes } from './audience.ts';
import type { OpenRound } from './open-round.ts';
import type { RunState } from './run-state.ts';

/** Tells everyone in the run how the round ended. */
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
      central: ending.outcome === 'committed' ? state.central : null,
      accepted: cohort.accepted,
      asked: cohort.size,
      you,
    });
  }
}

/** Bytes that an exchange's cohort sent and received since it was asked. */
export function cohortBytes({ cohort }: Exchange, audience: Audience): Bytes {
  let up = 0;
  let down = 0;
  for (const [id, { bytesBefore }] of cohort.entries()) {
    const now = audience.bytes(id);
    // Counters of a forgotten participant begin anew.
    up += Math.max(0, now.up - bytesBefore.up);
    down += Math.max(0, now.down - bytesBefore.down);
  }
  return { up, down };
}
