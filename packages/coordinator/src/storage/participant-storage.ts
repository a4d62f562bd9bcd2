/** The part of `Storage` that knows who was ever here. */
export interface ParticipantStorage {
  /** When a participant was last seen, as far as was written down; `null` for one that never was. */
  participantSeen(participant: string): Promise<number | null>;
  /** Writes down that participants are here, all or none of them. */
  seeParticipants(participants: readonly string[], at: number): Promise<void>;
  /** Forgets those who were last seen before. */
  forgetParticipants(before: number): Promise<void>;
}
