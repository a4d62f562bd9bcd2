import type { AdminSession, AuditEntry, Role, Scope } from '@coppice/protocol';

/*
 * Secrets never come here: sessions, tokens and invitations are kept by the SHA-256 of theirs, passwords by
 * their scrypt.
 */

export interface AdminRecord {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  /** Null where none was set. */
  readonly password: string | null;
  readonly createdAt: number;
}

export interface AdminSessionRecord {
  readonly id: string;
  readonly hash: string;
  /** Null: opened with the standing admin key. */
  readonly admin: string | null;
  readonly via: AdminSession['via'];
  /** Binds a session of the standing admin key to that key: with another key it is invalid. */
  readonly proof: string | null;
  readonly createdAt: number;
  readonly lastUsedAt: number;
  readonly expiresAt: number;
  readonly agent: string;
  readonly address: string;
}

export interface ApiTokenRecord {
  readonly id: string;
  readonly hash: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Null: made with the standing admin key. */
  readonly admin: string | null;
  readonly createdAt: number;
  readonly lastUsedAt: number | null;
  readonly expiresAt: number | null;
}

/** An invitation to become an admin; `setup`: a one-time key, which opens the first owner's account. */
export interface AdminInvitationRecord {
  readonly id: string;
  readonly hash: string;
  readonly kind: 'invitation' | 'setup';
  readonly role: Role;
  readonly by: string;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly usedAt: number | null;
}

/** The part of `Storage` for admins, their sessions, tokens and invitations, and the audit log. */
export interface AdminStorage {
  /** Adds or replaces an admin by id. */
  putAdmin(admin: AdminRecord): Promise<void>;
  /** Oldest first. */
  admins(): Promise<AdminRecord[]>;
  /** Removes an admin with all sessions and tokens. */
  removeAdmin(id: string): Promise<void>;

  addAdminSession(session: AdminSessionRecord): Promise<void>;
  adminSession(hash: string): Promise<AdminSessionRecord | null>;
  /** Newest first. */
  adminSessions(): Promise<AdminSessionRecord[]>;
  touchAdminSession(session: Pick<AdminSessionRecord, 'id' | 'lastUsedAt' | 'expiresAt'>): Promise<void>;
  removeAdminSession(id: string): Promise<void>;

  addApiToken(token: ApiTokenRecord): Promise<void>;
  apiToken(hash: string): Promise<ApiTokenRecord | null>;
  /** Newest first. */
  apiTokens(): Promise<ApiTokenRecord[]>;
  touchApiToken(token: { id: string; lastUsedAt: number }): Promise<void>;
  removeApiToken(id: string): Promise<void>;

  addAdminInvitation(invitation: AdminInvitationRecord): Promise<void>;
  /** Newest first, used ones included. */
  adminInvitations(): Promise<AdminInvitationRecord[]>;
  /**
   * Marks an invitation as used and returns it; `null` where there is none, or it is used or expired. Of two concurrent
   * callers only one gets it.
   */
  useAdminInvitation(hash: string, at: number): Promise<AdminInvitationRecord | null>;
  removeAdminInvitation(id: string): Promise<void>;

  /** Appends to the audit log. Entries are never changed or deleted. */
  appendAudit(entry: Omit<AuditEntry, 'id'>): Promise<AuditEntry>;
  /** Newest first: those with an id below `before`, `limit` of them. */
  audit(filter: { before?: number; admin?: string; action?: string; limit?: number }): Promise<AuditEntry[]>;
}
