import {
  type AcceptInvitation,
  type Account,
  type Admin,
  type AdminInvitation,
  AdminInvitationSchema,
  AdminSchema,
  type AdminSession,
  AdminSessionSchema,
  type ApiToken,
  ApiTokenSchema,
  type AuditEntry,
  AuditEntrySchema,
  type CreateToken,
  type Login,
  type NewAdminInvitation,
  NewAdminInvitationSchema,
  type NewApiToken,
  NewApiTokenSchema,
  parseMessage,
  type Role,
  type SessionState,
  SessionStateSchema,
} from '@coppice/protocol';
import { call, list } from './api.ts';

/* The part of the API for admins and their access. Errors as in `api.ts`. */

const sessionState = (answer: unknown) => parseMessage('session', SessionStateSchema, answer);

export async function fetchSession(): Promise<SessionState> {
  return sessionState(await call('GET', '/api/session'));
}

/** Exchanges a key, or name and password, for a session cookie. */
export async function postSession(login: Login): Promise<SessionState> {
  return sessionState(await call('POST', '/api/session', login));
}

export async function deleteSession(): Promise<void> {
  await call('DELETE', '/api/session');
}

export async function acceptInvitation(given: AcceptInvitation): Promise<SessionState> {
  return sessionState(await call('POST', '/api/admin-invitations/accept', given));
}

export async function changeAccount(account: Account): Promise<void> {
  await call('PUT', '/api/account', account);
}

export async function fetchAdmins(): Promise<Admin[]> {
  return list(await call('GET', '/api/admins')).map((one) => parseMessage('admin', AdminSchema, one));
}

export async function changeRole(admin: string, role: Role): Promise<void> {
  await call('PATCH', `/api/admins/${admin}`, { role });
}

export async function removeAdmin(admin: string): Promise<void> {
  await call('DELETE', `/api/admins/${admin}`);
}

export async function fetchInvitations(): Promise<AdminInvitation[]> {
  return list(await call('GET', '/api/admin-invitations')).map((one) =>
    parseMessage('invitation', AdminInvitationSchema, one),
  );
}

export async function invite(role: Role): Promise<NewAdminInvitation> {
  return parseMessage(
    'invitation',
    NewAdminInvitationSchema,
    await call('POST', '/api/admin-invitations', { role }),
  );
}

export async function withdraw(invitation: string): Promise<void> {
  await call('DELETE', `/api/admin-invitations/${invitation}`);
}

export async function fetchTokens(): Promise<ApiToken[]> {
  return list(await call('GET', '/api/tokens')).map((one) => parseMessage('token', ApiTokenSchema, one));
}

export async function makeToken(token: CreateToken): Promise<NewApiToken> {
  return parseMessage('token', NewApiTokenSchema, await call('POST', '/api/tokens', token));
}

export async function revokeToken(token: string): Promise<void> {
  await call('DELETE', `/api/tokens/${token}`);
}

export async function fetchSessions(): Promise<AdminSession[]> {
  return list(await call('GET', '/api/sessions')).map((one) =>
    parseMessage('session', AdminSessionSchema, one),
  );
}

export async function revokeSession(session: string): Promise<void> {
  await call('DELETE', `/api/sessions/${session}`);
}

/** Newest first, a page at a time. */
export async function fetchAudit(filter: {
  before?: number;
  action?: string;
  admin?: string;
}): Promise<AuditEntry[]> {
  const query = new URLSearchParams();
  if (filter.before !== undefined) query.set('before', String(filter.before));
  if (filter.action) query.set('action', filter.action);
  if (filter.admin) query.set('admin', filter.admin);
  return list(await call('GET', `/api/audit?${query}`)).map((one) =>
    parseMessage('entry', AuditEntrySchema, one),
  );
}
