import { expect, it } from 'vitest';
import type { ParticipantStorage } from './participant-storage.ts';

/** The part of `storageContract` for known participants. */
export function participantContract(open: () => ParticipantStorage): void {
  it('knows who was here and when last, and forgets those who have not come for long', async () => {
    const storage = open();
    expect(await storage.participantSeen('a')).toBeNull();
    await storage.seeParticipants(['a'], 1_760_000_000_000);
    await storage.seeParticipants(['b'], 1_760_000_000_001);
    expect(await storage.participantSeen('a')).toBe(1_760_000_000_000);
    await storage.seeParticipants(['a'], 1_760_000_000_005);
    expect(await storage.participantSeen('a')).toBe(1_760_000_000_005);
    await storage.forgetParticipants(1_760_000_000_005);
    expect(await storage.participantSeen('a')).toBe(1_760_000_000_005);
    expect(await storage.participantSeen('b')).toBeNull();
  });

  it('writes down many who come together', async () => {
    const storage = open();
    const crowd = Array.from({ length: 1234 }, (_, n) => `one of many ${n}`);
    await storage.seeParticipants(crowd.slice(0, 2), 1_760_000_000_000);
    await storage.seeParticipants(crowd, 1_760_000_000_007);
    for (const one of [0, 1, 499, 500, 1233])
      expect(await storage.participantSeen(`one of many ${one}`)).toBe(1_760_000_000_007);
    await storage.seeParticipants([], 1);
  });
}
