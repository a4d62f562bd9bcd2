import type { Kysely } from 'kysely';
import type { ParticipantStorage } from './participant-storage.ts';
import type { Tables } from './schema.ts';

/** The part of `sqlStorage` about who was ever here. */
export function sqlParticipants(db: Kysely<Tables>): ParticipantStorage {
  return {
    async participantSeen(participant) {
      const row = await db
        .selectFrom('participant')
        .select('last_seen_at')
        .where('id', '=', participant)
        .executeTakeFirst();
      return row?.last_seen_at ?? null;
    },
    async seeParticipant(participant, at) {
      await db
        .insertInto('participant')
        .values({ id: participant, first_seen_at: at, last_seen_at: at })
        .onConflict((c) => c.column('id').doUpdateSet({ last_seen_at: at }))
        .execute();
    },
    async forgetParticipants(before) {
      await db.deleteFrom('participant').where('last_seen_at', '<', before).execute();
    },
  };
}
