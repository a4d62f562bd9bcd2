import { type Role, roleScopes, type Scope, type SessionState } from '@coppice/protocol';
import type { AdminRecord, AdminSessionRecord } from '../storage/admin-storage.ts';

/** The name under which the standing admin key acts. */
export const KEY_NAME = 'admin key';

/** The source of a request, with its rights. */
export interface Actor {
  /** Null for the standing admin key. */
  readonly admin: string | null;
  readonly name: string;
  readonly role: Role;
  readonly scopes: readonly Scope[];
  readonly hasPassword: boolean;
  readonly session: AdminSessionRecord | null;
  readonly token: string | null;
  readonly validUntil: number | null;
}

/** The place that a request came from. */
export interface Origin {
  readonly address: string;
  readonly agent: string;
}

/** An admin by itself, before a session or token says more; `null`: the standing admin key, which may do all. */
export function actorOf(admin: AdminRecord | null): Actor {
  const role = admin?.role ?? 'owner';
  return {
    admin: admin?.id ?? null,
    name: admin?.name ?? KEY_NAME,
    role,
    scopes: roleScopes[role],
    hasPassword: admin !== null && admin.password !== null,
    session: null,
    token: null,
    validUntil: null,
  };
}

/** An actor as the admin page sees itself. */
export function stateOf(actor: Actor | null): SessionState {
  if (actor === null) return { admin: false, account: null };
  const { admin: id, name, role, hasPassword, session } = actor;
  return { admin: true, account: { id, name, role, hasPassword, via: session?.via ?? null } };
}
