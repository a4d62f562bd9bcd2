import { createHmac } from 'node:crypto';
import type { Clock } from '@coppice/ports';
import {
  type AcceptInvitation,
  type Account,
  type Admin,
  type AdminSession,
  type ApiToken,
  type AuditAction,
  CoppiceError,
  type CreateToken,
  type Login,
  type NewApiToken,
  type Role,
  roleScopes,
  type Scope,
  type SessionState,
} from '@coppice/protocol';
import type {
  AdminInvitationRecord,
  AdminRecord,
  AdminSessionRecord,
  AdminStorage,
} from '../storage/admin-storage.ts';
import { oneAtATime } from '../storage/one-at-a-time.ts';
import { LoginLimit } from './login-limit.ts';
import { ensureLength, hashPassword, passwordFits } from './passwords.ts';
import { hashOf, newId, newSecret, same } from './secrets.ts';

const DAY = 24 * 60 * 60 * 1000;
/** Validity of a session after its last use, and of an invitation after its creation. */
export const SESSION_DAYS = 30;
const INVITATION_DAYS = 7;
/** Milliseconds before another use is recorded, so that not every request is a write. */
const TOUCH_AFTER = 60_000;
const ONE_TIME = 'once-';
const INVITATION = 'invite-';
const KEY_NAME = 'admin key';

/** Credentials of a request. */
export interface Credentials {
  readonly session?: string | null | undefined;
  readonly bearer?: string | null | undefined;
}

/** The origin of a request. */
export interface Origin {
  readonly address: string;
  readonly agent: string;
}

/** The authenticated sender of a request, with its rights. */
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

/** The target of a revocation: a session, a token, or all of an admin's. */
export type Revoked = { session: string } | { token: string } | { admin: string };

/** Makes a one-time key that opens the first owner's account, with its record. */
export function newOneTimeKey(
  now: number,
  by: string,
  days = SESSION_DAYS,
): { key: string; record: AdminInvitationRecord } {
  const key = newSecret(ONE_TIME);
  const record = {
    id: newId(),
    hash: hashOf(key),
    kind: 'setup',
    role: 'owner',
    by,
    createdAt: now,
    expiresAt: now + days * DAY,
    usedAt: null,
  } as const;
  return { key, record };
}

/** Admins and their sessions, tokens and invitations. All of it is in storage, so that sessions survive a restart. */
export class Admins {
  readonly #storage: AdminStorage;
  readonly #clock: Clock;
  readonly #key: string;
  readonly #limit = new LoginLimit();
  readonly #exclusively = oneAtATime();
  readonly #listeners = new Set<(revoked: Revoked) => void>();

  /** @param key the standing owner credential: configured, or this process's own. */
  constructor(storage: AdminStorage, clock: Clock, key: string) {
    this.#storage = storage;
    this.#clock = clock;
    this.#key = key;
  }

  onRevoked(listener: (revoked: Revoked) => void): void {
    this.#listeners.add(listener);
  }

  #revoked(revoked: Revoked): void {
    for (const listener of this.#listeners) listener(revoked);
  }

  /** Makes a key for the printed link, where no owner has another way in. Keys that were printed before become invalid. */
  async oneTimeKey(): Promise<string | null> {
    const admins = await this.#storage.admins();
    if (admins.some(({ role, password }) => role === 'owner' && password !== null)) return null;
    for (const { id, kind, usedAt } of await this.#storage.adminInvitations())
      if (kind === 'setup' && usedAt === null) await this.#storage.removeAdminInvitation(id);
    const { key, record } = newOneTimeKey(this.#clock.now(), 'the coordinator, at its start');
    await this.#storage.addAdminInvitation(record);
    return key;
  }

  async identify({ session, bearer }: Credentials): Promise<Actor | null> {
    if (bearer != null && bearer !== '') {
      if (same(bearer, this.#key)) return this.#ofKey(null);
      const token = await this.#storage.apiToken(hashOf(bearer));
      const now = this.#clock.now();
      if (token === null || (token.expiresAt !== null && token.expiresAt <= now)) return null;
      const owner = await this.#ownerOf(token.admin);
      if (owner === null) return null;
      if (token.lastUsedAt === null || now - token.lastUsedAt >= TOUCH_AFTER)
        await this.#storage.touchApiToken({ id: token.id, lastUsedAt: now });
      return {
        ...owner,
        name: `${owner.name} (${token.name})`,
        scopes: token.scopes.filter((scope) => owner.scopes.includes(scope)),
        token: token.id,
        validUntil: token.expiresAt,
      };
    }
    if (session == null) return null;
    const found = await this.#storage.adminSession(hashOf(session));
    const now = this.#clock.now();
    if (found === null || found.expiresAt <= now) return null;
    if (found.admin === null && found.proof !== this.#proof(session)) return null;
    const owner = await this.#ownerOf(found.admin);
    if (owner === null) return null;
    if (now - found.lastUsedAt >= TOUCH_AFTER)
      await this.#storage.touchAdminSession({
        id: found.id,
        lastUsedAt: now,
        expiresAt: now + SESSION_DAYS * DAY,
      });
    return { ...owner, session: found };
  }

  async #ownerOf(admin: string | null): Promise<Actor | null> {
    if (admin === null) return this.#ofKey(null);
    const found = (await this.#storage.admins()).find(({ id }) => id === admin);
    if (found === undefined) return null;
    return {
      admin,
      name: found.name,
      role: found.role,
      scopes: roleScopes[found.role],
      hasPassword: found.password !== null,
      session: null,
      token: null,
      validUntil: null,
    };
  }

  #ofKey(session: AdminSessionRecord | null): Actor {
    return {
      admin: null,
      name: KEY_NAME,
      role: 'owner',
      scopes: roleScopes.owner,
      hasPassword: false,
      session,
      token: null,
      validUntil: null,
    };
  }

  /** Binds a session to the admin key. It reveals nothing about a short key, since the session's own secret is not stored. */
  #proof(token: string): string {
    return createHmac('sha256', token).update(this.#key).digest('hex');
  }

  /**
   * @returns the secret of a new session.
   * @throws CoppiceError `login-refused`, `too-many-attempts`.
   */
  async signIn(login: Login, from: Origin): Promise<string> {
    const name = 'key' in login ? '' : login.name;
    const takeBack = await this.#limit.attempt(from.address, name);
    const opened = 'key' in login ? await this.#byKey(login.key) : await this.#byPassword(login);
    if (opened === null) {
      await this.#audit(null, name === '' ? '?' : name, 'login-failed', from, {
        detail: 'key' in login ? 'key' : 'password',
      });
      throw new CoppiceError(
        'login-refused',
        'key' in login
          ? 'That key does not open this coordinator. A one-time link opens once; "pnpm admin-key" prints a new one.'
          : 'Name and password do not fit together.',
      );
    }
    await takeBack();
    return this.#open(opened.admin, opened.via, from);
  }

  async #byKey(key: string): Promise<{ admin: AdminRecord | null; via: AdminSession['via'] } | null> {
    if (same(key, this.#key)) return { admin: null, via: 'admin-key' };
    if (!key.startsWith(ONE_TIME)) return null;
    return this.#exclusively(async () => {
      if ((await this.#storage.useAdminInvitation(hashOf(key), this.#clock.now())) === null) return null;
      const admins = await this.#storage.admins();
      const owner = admins.find(({ role }) => role === 'owner');
      if (owner !== undefined) return { admin: owner, via: 'one-time-key' as const };
      let name = 'Owner';
      for (let n = 2; admins.some((admin) => equalNames(admin.name, name)); n++) name = `Owner ${n}`;
      const made = {
        id: newId(),
        name,
        role: 'owner',
        password: null,
        createdAt: this.#clock.now(),
      } as const;
      await this.#storage.putAdmin(made);
      return { admin: made, via: 'one-time-key' as const };
    });
  }

  async #byPassword({
    name,
    password,
  }: {
    name: string;
    password: string;
  }): Promise<{ admin: AdminRecord; via: 'password' } | null> {
    const admin = (await this.#storage.admins()).find((one) => equalNames(one.name, name));
    const fits = await passwordFits(password, admin?.password ?? null);
    return fits && admin !== undefined ? { admin, via: 'password' } : null;
  }

  async #open(admin: AdminRecord | null, via: AdminSession['via'], from: Origin): Promise<string> {
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
    await this.#audit(admin?.id ?? null, admin?.name ?? KEY_NAME, 'login', from, { detail: via });
    return token;
  }

  async signOut(actor: Actor, from: Origin): Promise<void> {
    if (actor.session === null) return;
    await this.#storage.removeAdminSession(actor.session.id);
    this.#revoked({ session: actor.session.id });
    await this.record(actor, 'logout', from);
  }

  async admins(): Promise<Admin[]> {
    return (await this.#storage.admins()).map(({ password, ...admin }) => ({
      ...admin,
      hasPassword: password !== null,
    }));
  }

  /** Changes the caller's own name and password. A new password ends all other sessions of its owner. */
  async changeAccount(actor: Actor, { name, password, current }: Account, from: Origin): Promise<void> {
    const { session } = actor;
    if (actor.admin === null || session === null)
      throw new CoppiceError('forbidden', 'The admin key and tokens have no name and password of their own.');
    if (password !== undefined) {
      ensureLength(password);
      const admin = await this.#admin(actor.admin);
      if (admin.password !== null && session.via !== 'one-time-key') {
        const takeBack = await this.#limit.attempt(from.address, admin.name);
        if (!(await passwordFits(current ?? '', admin.password)))
          throw new CoppiceError('login-refused', 'That is not your password so far.');
        await takeBack();
      }
    }
    const hash = password === undefined ? undefined : await hashPassword(password);
    await this.#exclusively(async () => {
      const admin = await this.#admin(actor.admin as string);
      if (name !== undefined) await this.#ensureFree(name, admin.id);
      await this.#storage.putAdmin({
        ...admin,
        name: name ?? admin.name,
        password: hash ?? admin.password,
      });
    });
    if (hash !== undefined)
      for (const other of await this.#storage.adminSessions())
        if (other.admin === actor.admin && other.id !== session.id) await this.#endSession(other.id);
    await this.record(actor, 'account-changed', from, {
      target: name ?? actor.name,
      detail: [...(name === undefined ? [] : ['name']), ...(hash === undefined ? [] : ['password'])].join(
        ', ',
      ),
    });
  }

  async changeRole(id: string, role: Role): Promise<Admin> {
    return this.#exclusively(async () => {
      const admin = await this.#admin(id);
      if (role !== 'owner') await this.#ensureOtherOwner(admin);
      await this.#storage.putAdmin({ ...admin, role });
      const { password, ...rest } = admin;
      return { ...rest, role, hasPassword: password !== null };
    });
  }

  async remove(id: string): Promise<Admin> {
    const { password, ...admin } = await this.#exclusively(async () => {
      const found = await this.#admin(id);
      await this.#ensureOtherOwner(found);
      await this.#storage.removeAdmin(id);
      return found;
    });
    this.#revoked({ admin: id });
    return { ...admin, hasPassword: password !== null };
  }

  async #admin(id: string): Promise<AdminRecord> {
    const found = (await this.#storage.admins()).find((admin) => admin.id === id);
    if (found === undefined) throw new CoppiceError('admin-unknown', `There is no admin "${id}" any more.`);
    return found;
  }

  async #ensureOtherOwner(admin: AdminRecord): Promise<void> {
    if (admin.role !== 'owner') return;
    const owners = (await this.#storage.admins()).filter(({ role }) => role === 'owner');
    if (owners.length === 1)
      throw new CoppiceError('last-owner', 'This is the last owner. Make somebody else an owner first.');
  }

  async #ensureFree(name: string, except: string | null): Promise<void> {
    const taken = (await this.#storage.admins()).some(
      (admin) => admin.id !== except && equalNames(admin.name, name),
    );
    if (taken || equalNames(name, KEY_NAME))
      throw new CoppiceError(
        'admin-name-taken',
        `Somebody is called "${name}" already. Choose another name.`,
      );
  }

  async invite(actor: Actor, role: Role): Promise<{ code: string; record: AdminInvitationRecord }> {
    const code = newSecret(INVITATION);
    const now = this.#clock.now();
    const record: AdminInvitationRecord = {
      id: newId(),
      hash: hashOf(code),
      kind: 'invitation',
      role,
      by: actor.name,
      createdAt: now,
      expiresAt: now + INVITATION_DAYS * DAY,
      usedAt: null,
    };
    await this.#storage.addAdminInvitation(record);
    return { code, record };
  }

  /** Invitations that are still valid. */
  async invitations(): Promise<AdminInvitationRecord[]> {
    const now = this.#clock.now();
    return (await this.#storage.adminInvitations()).filter(
      ({ kind, usedAt, expiresAt }) => kind === 'invitation' && usedAt === null && expiresAt > now,
    );
  }

  async withdraw(id: string): Promise<AdminInvitationRecord> {
    const found = (await this.invitations()).find((invitation) => invitation.id === id);
    if (found === undefined)
      throw new CoppiceError(
        'admin-invitation-invalid',
        'This invitation was used, withdrawn or is too old.',
      );
    await this.#storage.removeAdminInvitation(id);
    return found;
  }

  /** @returns the secret of the new admin's first session. */
  async accept({ code, name, password }: AcceptInvitation, from: Origin): Promise<string> {
    const takeBack = await this.#limit.attempt(from.address, '');
    const invalid = () =>
      new CoppiceError(
        'admin-invitation-invalid',
        'This invitation was used, withdrawn or is too old. Ask an owner for another.',
      );
    const hash = hashOf(code);
    if (!(await this.invitations()).some((invitation) => invitation.hash === hash)) throw invalid();
    await takeBack();
    await this.#ensureFree(name, null);
    const stored = await hashPassword(password);
    const made = await this.#exclusively(async () => {
      await this.#ensureFree(name, null);
      const used = await this.#storage.useAdminInvitation(hash, this.#clock.now());
      if (used === null) throw invalid();
      const admin = {
        id: newId(),
        name,
        role: used.role,
        password: stored,
        createdAt: this.#clock.now(),
      };
      await this.#storage.putAdmin(admin);
      return admin;
    });
    await this.#audit(made.id, made.name, 'admin-joined', from, { target: made.name, detail: made.role });
    return this.#open(made, 'invitation', from);
  }

  async makeToken(actor: Actor, { name, scopes, days }: CreateToken): Promise<NewApiToken> {
    const token = newSecret('coppice_');
    const now = this.#clock.now();
    const made = {
      id: newId(),
      name,
      scopes: [...new Set(scopes)],
      createdAt: now,
      lastUsedAt: null,
      expiresAt: days === null ? null : now + days * DAY,
    };
    await this.#storage.addApiToken({ ...made, hash: hashOf(token), admin: actor.admin });
    return { ...made, by: actor.name, token };
  }

  async tokens(): Promise<ApiToken[]> {
    const names = await this.#names();
    return (await this.#storage.apiTokens()).map(({ hash: _hash, admin, scopes, ...token }) => ({
      ...token,
      scopes: [...scopes],
      by: names(admin),
    }));
  }

  async revokeToken(id: string): Promise<ApiToken> {
    const found = (await this.tokens()).find((token) => token.id === id);
    if (found === undefined) throw new CoppiceError('not-found', 'There is no such token any more.');
    await this.#storage.removeApiToken(id);
    this.#revoked({ token: id });
    return found;
  }

  /** The caller's own sessions; for an owner, everyone's. */
  async sessions(actor: Actor): Promise<AdminSession[]> {
    const names = await this.#names();
    const now = this.#clock.now();
    return (await this.#storage.adminSessions())
      .filter(({ admin, expiresAt }) => expiresAt > now && mayEnd(actor, admin))
      .map(({ hash: _hash, proof: _proof, ...session }) => ({
        ...session,
        name: names(session.admin),
        own: session.id === actor.session?.id,
      }));
  }

  async revokeSession(actor: Actor, id: string): Promise<AdminSession> {
    const found = (await this.sessions(actor)).find((session) => session.id === id);
    if (found === undefined) throw new CoppiceError('not-found', 'There is no such session any more.');
    await this.#endSession(id);
    return found;
  }

  async #endSession(id: string): Promise<void> {
    await this.#storage.removeAdminSession(id);
    this.#revoked({ session: id });
  }

  async #names(): Promise<(id: string | null) => string> {
    const names = new Map((await this.#storage.admins()).map(({ id, name }) => [id, name]));
    return (id) => (id === null ? KEY_NAME : (names.get(id) ?? '?'));
  }

  /** Records an action in the audit log. The caller reports the action as done only afterwards. */
  record(
    actor: Actor,
    action: AuditAction,
    from: Origin,
    what: { target?: string; detail?: string } = {},
  ): Promise<void> {
    return this.#audit(actor.admin, actor.name, action, from, what);
  }

  async #audit(
    admin: string | null,
    name: string,
    action: AuditAction,
    { address }: Origin,
    { target = '', detail = '' }: { target?: string; detail?: string } = {},
  ): Promise<void> {
    await this.#storage.appendAudit({
      at: this.#clock.now(),
      admin,
      name,
      action,
      target,
      detail,
      address,
    });
  }
}

export function stateOf(actor: Actor | null): SessionState {
  if (actor === null) return { admin: false, account: null };
  const { admin: id, name, role, hasPassword, session } = actor;
  return { admin: true, account: { id, name, role, hasPassword, via: session?.via ?? null } };
}

function mayEnd({ admin, scopes, token }: Actor, of: string | null): boolean {
  return scopes.includes('admins:write') || (token === null && admin === of);
}

function equalNames(a: string, b: string): boolean {
  const plain = (name: string) => name.normalize('NFKC').trim().toLowerCase();
  return plain(a) === plain(b);
}
