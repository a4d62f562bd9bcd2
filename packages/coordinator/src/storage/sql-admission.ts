import type { Admission } from '@coppice/protocol';
import type { Kysely, Selectable, Transaction } from 'kysely';
import type { AdmissionStorage, ListedRecord, RunInvitationRecord } from './admission-storage.ts';
import type { Tables } from './schema.ts';
import { storableText } from './storable-text.ts';

/** Rows in one statement: both databases accept that many values. */
const ROWS = 100;

/** Thrown to roll a transaction back. */
class Undone extends Error {}

/** The admission part of `sqlStorage`. */
export function sqlAdmission(db: Kysely<Tables>): AdmissionStorage {
  return {
    async setAdmission(run, admission) {
      await db
        .insertInto('run_admission')
        .values({ run, admission })
        .onConflict((c) => c.column('run').doUpdateSet({ admission }))
        .execute();
    },
    async admissions() {
      const rows = await db.selectFrom('run_admission').selectAll().orderBy('run').execute();
      return rows.map(({ run, admission }) => ({ run, admission: admission as Admission }));
    },

    async addRunInvitation(given) {
      const { by, createdAt, expiresAt, maxUses, revokedAt, ...rest } = storableText(given);
      await db
        .insertInto('run_invitation')
        .values({
          ...rest,
          made_by: by,
          created_at: createdAt,
          expires_at: expiresAt,
          max_uses: maxUses,
          revoked_at: revokedAt,
        })
        .execute();
    },
    async runInvitations(run) {
      const rows = await db
        .selectFrom('run_invitation')
        .selectAll()
        .where('run', '=', run)
        .orderBy('created_at', 'desc')
        .orderBy('id', 'desc')
        .execute();
      return rows.map(toInvitation);
    },
    async revokeRunInvitation(id, at) {
      await db
        .updateTable('run_invitation')
        .set({ revoked_at: at })
        .where('id', '=', id)
        .where('revoked_at', 'is', null)
        .execute();
    },
    async useRunInvitation({ hash, run, participant, at }) {
      try {
        return await db.transaction().execute(async (transaction) => {
          const known = await listedAs(transaction, run, participant);
          if (known !== null) return known;
          // A concurrent use waits for this row, and then sees its new state.
          const used = await transaction
            .updateTable('run_invitation')
            .set((e) => ({ uses: e('uses', '+', 1) }))
            .where('hash', '=', hash)
            .where('run', '=', run)
            .where('revoked_at', 'is', null)
            .where((e) => e.or([e('expires_at', 'is', null), e('expires_at', '>', at)]))
            .where((e) => e.or([e('max_uses', 'is', null), e('uses', '<', e.ref('max_uses'))]))
            .returning(['id', 'made_by'])
            .executeTakeFirst();
          // Used up, perhaps by this very participant on another connection, a moment ago.
          if (used === undefined) return listedAs(transaction, run, participant);
          const row = {
            run,
            participant,
            invitation: used.id,
            note: '',
            made_by: used.made_by,
            created_at: at,
          };
          const added = await transaction
            .insertInto('listed_participant')
            .values(row)
            .onConflict((c) => c.columns(['run', 'participant']).doNothing())
            .returning('run')
            .executeTakeFirst();
          // The same participant came by another connection meanwhile: one use is enough.
          if (added === undefined) throw new Undone();
          return toListed(row);
        });
      } catch (thrown) {
        if (thrown instanceof Undone) return listedAs(db, run, participant);
        throw thrown;
      }
    },

    async list(records) {
      await db.transaction().execute(async (transaction) => {
        for (let first = 0; first < records.length; first += ROWS)
          await transaction
            .insertInto('listed_participant')
            .values(
              records.slice(first, first + ROWS).map((given) => {
                const { by, createdAt, ...rest } = storableText(given);
                return { ...rest, made_by: by, created_at: createdAt };
              }),
            )
            .onConflict((c) => c.columns(['run', 'participant']).doNothing())
            .execute();
      });
    },
    async listed() {
      const rows = await db
        .selectFrom('listed_participant')
        .selectAll()
        .orderBy('created_at', 'desc')
        .orderBy('participant')
        .execute();
      return rows.map(toListed);
    },
    async unlist(run, participants) {
      await db.transaction().execute(async (transaction) => {
        for (let first = 0; first < participants.length; first += ROWS)
          await transaction
            .deleteFrom('listed_participant')
            .where('run', '=', run)
            .where('participant', 'in', participants.slice(first, first + ROWS))
            .execute();
      });
    },

    async addBan(given) {
      const { by, createdAt, ...rest } = storableText(given);
      await db
        .insertInto('ban')
        .values({ ...rest, made_by: by, created_at: createdAt })
        .execute();
    },
    async bans() {
      const rows = await db
        .selectFrom('ban')
        .selectAll()
        .orderBy('created_at', 'desc')
        .orderBy('id', 'desc')
        .execute();
      return rows.map(({ made_by, created_at, ...row }) => ({ ...row, by: made_by, createdAt: created_at }));
    },
    async removeBan(id) {
      await db.deleteFrom('ban').where('id', '=', id).execute();
    },
  };
}

async function listedAs(
  db: Kysely<Tables> | Transaction<Tables>,
  run: string,
  participant: string,
): Promise<ListedRecord | null> {
  const row = await db
    .selectFrom('listed_participant')
    .selectAll()
    .where('run', '=', run)
    .where('participant', '=', participant)
    .executeTakeFirst();
  return row === undefined ? null : toListed(row);
}

function toInvitation({
  made_by,
  created_at,
  expires_at,
  max_uses,
  revoked_at,
  ...row
}: Selectable<Tables['run_invitation']>): RunInvitationRecord {
  return {
    ...row,
    by: made_by,
    createdAt: created_at,
    expiresAt: expires_at,
    maxUses: max_uses,
    revokedAt: revoked_at,
  };
}

function toListed({ made_by, created_at, ...row }: Selectable<Tables['listed_participant']>): ListedRecord {
  return { ...row, by: made_by, createdAt: created_at };
}
