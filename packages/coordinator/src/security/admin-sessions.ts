import { createHmac } from 'node:crypto';
import type { Clock } from '@coppice/ports';
import { type AdminSession, CoppiceError } from '@coppice/protocol';
import type { AdminRecord, AdminSessionRecord, AdminStorage } from '../storage/admin-storage.ts';
import type { Actor, Origin } from './actor.ts';
import type { AdminAccounts } from './admin-accounts.ts';
import type { Revocations } from './revocations.ts';
import { hashOf, newId, newSecret } from './secrets.ts';
import { DAY, TOUCH_AFTER } from './validity.ts';

/** How long a session is valid after it was last used. */
export const SESSION_DAYS = 30;

/** Sessions of admins in browsers. They are in storage, so that they survive a restart. */
export class AdminSessions {
  readonly #storage: AdminStorage;
  readonly #clock: Clock;
  readonly #key: string;
  readonly #accounts: Pick<AdminAccounts, 'names'>;
  readonly #revocations: Revocations;

  /** @param key the standing credential; sessions that another one opened are worth nothing. */
  constructor(
    storage: AdminStorage,
    clock: Clock,
    key: string,
    { accounts, revocations }: { accounts: Pick<AdminAccounts, 'names'>; revocations: Revocations },
  ) {
    this.#storage = storage;
    this.#clock = clock;
    this.#key = key;
    this.#accounts = accounts;
    this.#revocations = revocations;
  }

  /** @param admin `null`: the standing key. @returns the secret of a new session. */
  async open(admin: AdminRecord | null, via: AdminSession['via'], from: Origin): Promise<string> {
    const now = this.#clock.now();
    for (const { id, expiresAt } of await this.#storage.adminSessions())
      if (expiresAt <= now) await this.#storage.removeAdminSession(id);
    const token = newSecret();
    await this.#storage.addAdminSession({
      id: newId(),
      hash: hashOf(token),
      admin: admin?.id ?? null,
      via,
      proof: admin === null ? this.#proof(token) : null,
      createdAt: now,
      lastUsedAt: now,
      expiresAt: now + SESSION_DAYS * DAY,
      agent: from.agent.slice(0, 300),
      address: from.address,
    });
    return token;
  }

  /** The valid session of this secret; `null`: none. */
  async find(secret: string): Promise<AdminSessionRecord | null> {
    const found = await this.#storage.adminSession(hashOf(secret));
    if (found === null || found.expiresAt <= this.#clock.now()) return null;
    return found.admin === null && found.proof !== this.#proof(secret) ? null : found;
  }

  /** A session was used, and is valid for longer. */
  async touch({ id, lastUsedAt }: AdminSessionRecord): Promise<void> {
    const now = this.#clock.now();
    if (now - lastUsedAt < TOUCH_AFTER) return;
    await this.#storage.touchAdminSession({ id, lastUsedAt: now, expiresAt: now + SESSION_DAYS * DAY });
  }

  /** Those of an actor; for an owner, of everyone. */
  async of(actor: Actor): Promise<AdminSession[]> {
    const names = await this.#accounts.names();
    const now = this.#clock.now();
    return (await this.#storage.adminSessions())
      .filter(({ admin, expiresAt }) => expiresAt > now && mayEnd(actor, admin))
      .map(({ hash: _hash, proof: _proof, ...session }) => ({
        ...session,
        name: names(session.admin),
        own: session.id === actor.session?.id,
      }));
  }

  /** @throws CoppiceError `not-found` where it is none that the actor may end. */
  async revoke(actor: Actor, id: string): Promise<AdminSession> {
    const found = (await this.of(actor)).find((session) => session.id === id);
    if (found === undefined) throw new CoppiceError('not-found', 'There is no such session any more.');
    await this.end(id);
    return found;
  }

  async end(id: string): Promise<void> {
    await this.#storage.removeAdminSession(id);
    this.#revocations.tell({ session: id });
  }

  /** Ends all sessions of an admin but one. */
  async endOthers(admin: string, except: string): Promise<void> {
    for (const other of await this.#storage.adminSessions())
      if (other.admin === admin && other.id !== except) await this.end(other.id);
  }

  /** Nothing about a short key can be learned from it: the session's own secret is not stored. */
  #proof(token: string): string {
    return createHmac('sha256', token).update(this.#key).digest('hex');
  }
}

function mayEnd({ admin, scopes, token }: Actor, of: string | null): boolean {
  return scopes.includes('admins:write') || (token === null && admin === of);
}
