import type { ParticipantStorage } from './participant-storage.ts';

/** The part of `memoryStorage` about who was ever here. */
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
