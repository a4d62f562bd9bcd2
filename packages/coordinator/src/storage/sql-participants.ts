import type { Kysely } from 'kysely';
import type { ParticipantStorage } from './participant-storage.ts';
import type { Tables } from './schema.ts';

/** Rows in one statement: databases limit the values in it. */
const ROWS = 500;

/** The participants' part of `sqlStorage`. */
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
    async seeParticipants(participants, at) {
      await db.transaction().execute(async (transaction) => {
        for (let from = 0; from < participants.length; from += ROWS)
          await transaction
            .insertInto('participant')
            .values(
              participants
                .slice(from, from + ROWS)
                .map((id) => ({ id, first_seen_at: at, last_seen_at: at })),
            )
            .onConflict((c) => c.column('id').doUpdateSet({ last_seen_at: at }))
            .execute();
      });
    },
    async forgetParticipants(before) {
      await db.deleteFrom('participant').where('last_seen_at', '<', before).execute();
    },
  };
}
