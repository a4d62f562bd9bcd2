import type { AdminSession, Role, Scope } from '@coppice/protocol';
import type { Kysely, Selectable, Transaction } from 'kysely';
import type {
  AdminInvitationRecord,
  AdminSessionRecord,
  AdminStorage,
  ApiTokenRecord,
} from './admin-storage.ts';
import type { Tables } from './schema.ts';
import { storable, storableText } from './storable-text.ts';

/** The admins' part of `sqlStorage`. */
export function sqlAdmins(db: Kysely<Tables>): AdminStorage {
  return {
    async putAdmin(given) {
      const { id, name, role, password, createdAt } = storableText(given);
      await db
        .insertInto('admin')
        .values({ id, name, role, password, created_at: createdAt })
        .onConflict((c) => c.column('id').doUpdateSet({ name, role, password }))
        .execute();
    },
    async admins() {
      const rows = await db.selectFrom('admin').selectAll().orderBy('created_at').orderBy('id').execute();
      return rows.map(({ created_at, role, ...row }) => ({
        ...row,
        role: role as Role,
        createdAt: created_at,
      }));
    },
    async removeAdmin(id) {
      await db.transaction().execute(async (transaction) => {
        await transaction.deleteFrom('admin_session').where('admin', '=', id).execute();
        await transaction.deleteFrom('api_token').where('admin', '=', id).execute();
        await transaction.deleteFrom('admin').where('id', '=', id).execute();
      });
    },

    async addAdminSession(given) {
      const { createdAt, lastUsedAt, expiresAt, ...rest } = storableText(given);
      await db
        .insertInto('admin_session')
        .values({ ...rest, created_at: createdAt, last_used_at: lastUsedAt, expires_at: expiresAt })
        .execute();
    },
    async adminSession(hash) {
      const row = await db
        .selectFrom('admin_session')
        .selectAll()
        .where('hash', '=', hash)
        .executeTakeFirst();
      return row === undefined ? null : toSession(row);
    },
    async adminSessions() {
      const rows = await db
        .selectFrom('admin_session')
        .selectAll()
        .orderBy('created_at', 'desc')
        .orderBy('id', 'desc')
        .execute();
      return rows.map(toSession);
    },
    async touchAdminSession({ id, lastUsedAt, expiresAt }) {
      await db
        .updateTable('admin_session')
        .set({ last_used_at: lastUsedAt, expires_at: expiresAt })
        .where('id', '=', id)
        .execute();
    },
    async removeAdminSession(id) {
      await db.deleteFrom('admin_session').where('id', '=', id).execute();
    },

    async addApiToken(given) {
      const { createdAt, lastUsedAt, expiresAt, scopes, ...rest } = storableText(given);
      await db
        .insertInto('api_token')
        .values({
          ...rest,
          scopes: JSON.stringify(scopes),
          created_at: createdAt,
          last_used_at: lastUsedAt,
          expires_at: expiresAt,
        })
        .execute();
    },
    async apiToken(hash) {
      const row = await db.selectFrom('api_token').selectAll().where('hash', '=', hash).executeTakeFirst();
      return row === undefined ? null : toToken(row);
    },
    async apiTokens() {
      const rows = await db
        .selectFrom('api_token')
        .selectAll()
        .orderBy('created_at', 'desc')
        .orderBy('id', 'desc')
        .execute();
      return rows.map(toToken);
    },
    async touchApiToken({ id, lastUsedAt }) {
      await db.updateTable('api_token').set({ last_used_at: lastUsedAt }).where('id', '=', id).execute();
    },
    async removeApiToken(id) {
      await db.deleteFrom('api_token').where('id', '=', id).execute();
    },

    addAdminInvitation: (invitation) => insertAdminInvitation(db, invitation),
    async adminInvitations() {
      const rows = await db
        .selectFrom('admin_invitation')
        .selectAll()
        .orderBy('created_at', 'desc')
        .orderBy('id', 'desc')
        .execute();
      return rows.map(toInvitation);
    },
    async useAdminInvitation(hash, at) {
      const row = await db
        .updateTable('admin_invitation')
        .set({ used_at: at })
        .where('hash', '=', hash)
        .where('used_at', 'is', null)
        .where('expires_at', '>', at)
        .returningAll()
        .executeTakeFirst();
      return row === undefined ? null : toInvitation(row);
    },
    async removeAdminInvitation(id) {
      await db.deleteFrom('admin_invitation').where('id', '=', id).execute();
    },

    async appendAudit(given) {
      const entry = storableText(given);
      const { id } = await db.insertInto('audit').values(entry).returning('id').executeTakeFirstOrThrow();
      return { id, ...entry };
    },
    async audit({ before, admin, action, limit = 100 }) {
      let query = db.selectFrom('audit').selectAll();
      if (before !== undefined) query = query.where('id', '<', before);
      if (admin !== undefined) query = query.where('admin', '=', storable(admin));
      if (action !== undefined) query = query.where('action', '=', storable(action));
      return query.orderBy('id', 'desc').limit(limit).execute();
    },
  };
}

/** Separate, since `pnpm admin-key` adds an invitation beside a running coordinator. */
export async function insertAdminInvitation(
  db: Kysely<Tables> | Transaction<Tables>,
  given: AdminInvitationRecord,
): Promise<void> {
  const { createdAt, expiresAt, usedAt, by, ...rest } = storableText(given);
  await db
    .insertInto('admin_invitation')
    .values({ ...rest, made_by: by, created_at: createdAt, expires_at: expiresAt, used_at: usedAt })
    .execute();
}

function toSession({
  via,
  created_at,
  last_used_at,
  expires_at,
  ...row
}: Selectable<Tables['admin_session']>): AdminSessionRecord {
  return {
    ...row,
    via: via as AdminSession['via'],
    createdAt: created_at,
    lastUsedAt: last_used_at,
    expiresAt: expires_at,
  };
}

function toToken({
  scopes,
  created_at,
  last_used_at,
  expires_at,
  ...row
}: Selectable<Tables['api_token']>): ApiTokenRecord {
  return {
    ...row,
    scopes: JSON.parse(scopes) as Scope[],
    createdAt: created_at,
    lastUsedAt: last_used_at,
    expiresAt: expires_at,
  };
}

function toInvitation({
  kind,
  role,
  made_by,
  created_at,
  expires_at,
  used_at,
  ...row
}: Selectable<Tables['admin_invitation']>): AdminInvitationRecord {
  return {
    ...row,
    kind: kind as AdminInvitationRecord['kind'],
    role: role as Role,
    by: made_by,
    createdAt: created_at,
    expiresAt: expires_at,
    usedAt: used_at,
  };
}
