import type { AuditEntry } from '@coppice/protocol';
import type {
  AdminInvitationRecord,
  AdminRecord,
  AdminSessionRecord,
  AdminStorage,
  ApiTokenRecord,
} from './admin-storage.ts';
import { storableText } from './storable-text.ts';

/** The admins' part of `memoryStorage`. */
export function memoryAdmins(): AdminStorage {
  const admins = new Map<string, AdminRecord>();
  const sessions = new Map<string, AdminSessionRecord>();
  const tokens = new Map<string, ApiTokenRecord>();
  const invitations = new Map<string, AdminInvitationRecord>();
  const log: AuditEntry[] = [];
  const oldest = <T extends { createdAt: number; id: string }>(found: Map<string, T>) =>
    structuredClone([...found.values()].sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1)));
  const byHash = <T extends { hash: string }>(found: Map<string, T>, hash: string) =>
    structuredClone([...found.values()].find((one) => one.hash === hash) ?? null);

  return {
    async putAdmin(admin) {
      for (const { id, name } of admins.values())
        if (id !== admin.id && name === admin.name) throw new Error(`there is an admin called ${name}`);
      admins.set(admin.id, structuredClone(storableText(admin)));
    },
    admins: async () => oldest(admins),
    async removeAdmin(id) {
      admins.delete(id);
      for (const owned of [sessions, tokens])
        for (const one of owned.values()) if (one.admin === id) owned.delete(one.id);
    },
    async addAdminSession(session) {
      sessions.set(session.id, structuredClone(storableText(session)));
    },
    adminSession: async (hash) => byHash(sessions, hash),
    adminSessions: async () => oldest(sessions).reverse(),
    async touchAdminSession({ id, lastUsedAt, expiresAt }) {
      const session = sessions.get(id);
      if (session !== undefined) sessions.set(id, { ...session, lastUsedAt, expiresAt });
    },
    async removeAdminSession(id) {
      sessions.delete(id);
    },
    async addApiToken(token) {
      tokens.set(token.id, structuredClone(storableText(token)));
    },
    apiToken: async (hash) => byHash(tokens, hash),
    apiTokens: async () => oldest(tokens).reverse(),
    async touchApiToken({ id, lastUsedAt }) {
      const token = tokens.get(id);
      if (token !== undefined) tokens.set(id, { ...token, lastUsedAt });
    },
    async removeApiToken(id) {
      tokens.delete(id);
    },
    async addAdminInvitation(invitation) {
      invitations.set(invitation.id, structuredClone(storableText(invitation)));
    },
    adminInvitations: async () => oldest(invitations).reverse(),
    async useAdminInvitation(hash, at) {
      const found = byHash(invitations, hash);
      if (found === null || found.usedAt !== null || found.expiresAt <= at) return null;
      const used = { ...found, usedAt: at };
      invitations.set(found.id, used);
      return structuredClone(used);
    },
    async removeAdminInvitation(id) {
      invitations.delete(id);
    },
    async appendAudit(given) {
      const entry = { id: log.length + 1, ...storableText(given) };
      log.push(entry);
      return structuredClone(entry);
    },
    async audit({ before = Number.POSITIVE_INFINITY, admin, action, limit = 100 }) {
      const found = log.filter(
        (entry) =>
          entry.id < before &&
          (admin === undefined || entry.admin === admin) &&
          (action === undefined || entry.action === action),
      );
      return structuredClone(found.reverse().slice(0, limit));
    },
  };
}
