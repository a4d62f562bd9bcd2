import type { ParticipantStorage } from './participant-storage.ts';

/** The participants' part of `memoryStorage`. */
export function memoryParticipants(): ParticipantStorage {
  const seen = new Map<string, number>();
  return {
    participantSeen: async (participant) => seen.get(participant) ?? null,
    async seeParticipants(participants, at) {
      for (const participant of participants) seen.set(participant, at);
    },
    async forgetParticipants(before) {
      for (const [participant, at] of seen) if (at < before) seen.delete(participant);
    },
  };
}
