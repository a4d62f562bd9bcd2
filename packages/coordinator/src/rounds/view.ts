import type { Clock } from '@coppice/ports';
import {
  type Admission,
  briefMetrics,
  type ParticipantRow,
  type Phase,
  type RunSummary,
} from '@coppice/protocol';
import type { Audience } from './audience.ts';
import { examplesBucket, memberState } from './members.ts';
import type { RunState } from './run-state.ts';
import { neededNow } from './scaling-agreement.ts';

/* A run as others see it. */

export function summarize(
  state: RunState,
  phase: Phase,
  { admission, clock }: { admission: Admission; clock: Clock },
): RunSummary {
  const { id, task, plan, status } = state.record;
  const { round: open, scaling } = state.exchanges;
  const dueAt =
    phase === 'collect' && open !== null
      ? open.exchange.dueAt
      : phase === 'scaling' && scaling !== null
        ? scaling.dueAt
        : null;
  return {
    id,
    task: task.id,
    title: task.title,
    status,
    admission,
    phase,
    round: state.model.round,
    rounds: plan.rounds,
    participants: state.members.hereCount,
    needed: neededNow(state.record),
    // A date for those who know our date; set clocks move it, the deadline itself stays.
    deadlineAt: dueAt === null ? null : clock.now() + dueAt - clock.elapsed(),
    central: briefMetrics(state.central),
    checkpoint: state.model.hash,
  };
}

export function participantRows(
  state: RunState,
  audience: Audience,
  ids: readonly string[],
): ParticipantRow[] {
  return ids.flatMap((id) => {
    const member = state.members.get(id);
    if (member === undefined) return [];
    const outcome = state.exchanges.round?.exchange.cohort.get(member.id)?.outcome;
    const inRound = outcome === 'asked' ? 'training' : outcome === 'accepted' ? 'delivered' : null;
    const bytes = audience.bytes(member.id);
    return {
      id: member.id,
      run: state.record.id,
      device: member.device,
      backend: member.backend,
      state: memberState(member, inRound),
      examplesAtLeast: examplesBucket(member.examples),
      speed: member.speed,
      progress: inRound === null ? null : member.progress,
      roundsDelivered: member.roundsDelivered,
      roundsMissed: member.roundsMissed,
      bytesUp: bytes.up,
      bytesDown: bytes.down,
      lastSeenAt: member.lastSeenAt,
      lastError: member.lastError,
    };
  });
}

/** Number of present members, and of those at work in the open round, or done. */
export function headsOf({ members, exchanges }: Pick<RunState, 'members' | 'exchanges'>): {
  here: string[];
  working: number;
  done: number;
} {
  const here = members.here();
  const cohort = exchanges.round?.exchange.cohort;
  let working = 0;
  let done = 0;
  if (cohort !== undefined)
    for (const id of here) {
      const outcome = cohort.get(id)?.outcome;
      if (outcome === 'asked') working++;
      else if (outcome === 'accepted') done++;
    }
  return { here, working, done };
}
