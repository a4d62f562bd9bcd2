/** The part of `Storage` for known participants. */
export interface ParticipantStorage {
  /** Time of a participant's last recorded presence; `null` for an unknown one. */
  participantSeen(participant: string): Promise<number | null>;
  /** Records that participants are present, all or none of them. */
  seeParticipants(participants: readonly string[], at: number): Promise<void>;
  /** Forgets participants last seen before a time. */
  forgetParticipants(before: number): Promise<void>;
}
