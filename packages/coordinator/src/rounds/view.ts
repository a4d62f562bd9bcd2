import type { ParticipantRow, Phase, RunSummary } from '@coppice/protocol';
import type { Audience } from './audience.ts';
import { examplesBucket, memberState } from './members.ts';
import type { OpenRound } from './open-round.ts';
import type { RunState } from './run-state.ts';

/* A run as others see it. */

export function summarize(state: RunState, phase: Phase, open: OpenRound | null): RunSummary {
  const { id, task, plan, status } = state.record;
  return {
    id,
    task: task.id,
    title: task.title,
    status,
    phase,
    round: state.model.round,
    rounds: plan.rounds,
    participants: state.members.hereCount,
    needed: plan.minParticipants,
    deadlineAt: phase === 'collect' ? (open?.deadlineAt ?? null) : null,
    central: state.central,
    checkpoint: state.model.hash,
  };
}

export function participantRows(
  state: RunState,
  open: OpenRound | null,
  audience: Audience,
  ids: readonly string[],
): ParticipantRow[] {
  return ids.flatMap((id) => {
    const member = state.members.get(id);
    if (member === undefined) return [];
    const outcome = open?.cohort.get(member.id)?.outcome;
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
