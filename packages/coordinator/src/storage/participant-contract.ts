import { expect, it } from 'vitest';
import type { ParticipantStorage } from './participant-storage.ts';

/** The part of `storageContract` about who was ever here. */
export function participantContract(open: () => ParticipantStorage): void {
  it('knows who was here and when last, and forgets those who have not come for long', async () => {
    const storage = open();
    expect(await storage.participantSeen('a')).toBeNull();
    await storage.seeParticipant('a', 1_760_000_000_000);
    await storage.seeParticipant('b', 1_760_000_000_001);
    expect(await storage.participantSeen('a')).toBe(1_760_000_000_000);
    await storage.seeParticipant('a', 1_760_000_000_005);
    expect(await storage.participantSeen('a')).toBe(1_760_000_000_005);
    await storage.forgetParticipants(1_760_000_000_005);
    expect(await storage.participantSeen('a')).toBe(1_760_000_000_005);
    expect(await storage.participantSeen('b')).toBeNull();
  });
}
