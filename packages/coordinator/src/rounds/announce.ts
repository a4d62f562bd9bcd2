import type { Outcome, WireError } from '@coppice/protocol';
import { outward } from '../outward.ts';
import type { Audience, Bytes } from './audience.ts';
import type { OpenRound } from './open-round.ts';
import type { RunState } from './run-state.ts';

/** Nothing more is waited for: who has not delivered is late. Before the round is written down. */
export function settle(open: OpenRound): void {
  for (const member of open.cohort.values()) {
    if (member.outcome === 'asked' || member.outcome === 'away') member.outcome = 'late';
  }
}

/** Tells everyone how the round ended. */
export function announceEnd(
  open: OpenRound,
  state: RunState,
  audience: Audience,
  ending: { outcome: 'committed' | 'abandoned'; reason: WireError | null },
): void {
  for (const [id, member] of open.cohort) {
    const row = state.members.get(id);
    if (row === undefined) continue;
    row.progress = null;
    if (member.outcome !== 'accepted') row.roundsMissed++;
  }
  const groups = new Map<Outcome | null, string[]>();
  for (const id of state.members.here()) {
    const you = open.cohort.get(id)?.outcome ?? null;
    const group = groups.get(you);
    if (group === undefined) groups.set(you, [id]);
    else group.push(id);
  }
  for (const [you, ids] of groups) {
    audience.send(ids, 'round-end', {
      run: state.record.id,
      round: open.round,
      attempt: open.attempt,
      outcome: ending.outcome,
      reason: ending.reason && outward(ending.reason),
      checkpoint: state.model.hash,
      central: ending.outcome === 'committed' ? state.central : null,
      accepted: open.counted.updates,
      asked: open.cohort.size,
      you,
    });
  }
}

/** What a round's cohort sent and received since it was asked. */
export function cohortBytes(open: OpenRound, audience: Audience): Bytes {
  let up = 0;
  let down = 0;
  for (const [id, { bytesBefore }] of open.cohort) {
    const now = audience.bytes(id);
    // Nobody counts for less than nothing, not even who is forgotten since.
    up += Math.max(0, now.up - bytesBefore.up);
    down += Math.max(0, now.down - bytesBefore.down);
  }
  return { up, down };
}
