import type { Clock } from '@coppice/ports';
import {
  type AcceptInvitation,
  type Account,
  type AdminSession,
  type AuditAction,
  CoppiceError,
  type Login,
} from '@coppice/protocol';
import type { AdminRecord, AdminStorage } from '../storage/admin-storage.ts';
import { type Actor, actorOf, KEY_NAME, type Origin } from './actor.ts';
import { AdminAccounts } from './admin-accounts.ts';
import { AdminInvitations, isOneTimeKey } from './admin-invitations.ts';
import { AdminSessions } from './admin-sessions.ts';
import { ApiTokens } from './api-tokens.ts';
import { LoginLimit } from './login-limit.ts';
import { ensureLength, hashPassword, passwordFits } from './passwords.ts';
import { Revocations, type Revoked } from './revocations.ts';
import { same } from './secrets.ts';

/** The proof of its source that a request shows. */
export interface Credentials {
  readonly session?: string | null | undefined;
  readonly bearer?: string | null | undefined;
}

/** The ways in for admins, each limited and written to the audit log: a key, a password, an invitation; then a session or a token. */
export class Admins {
  readonly accounts: AdminAccounts;
  readonly invitations: AdminInvitations;
  readonly sessions: AdminSessions;
  readonly tokens: ApiTokens;
  readonly #storage: AdminStorage;
  readonly #clock: Clock;
  readonly #key: string;
  readonly #limit = new LoginLimit();
  readonly #revocations = new Revocations();

  /** @param key the standing credential of an owner: configured, or this process's own. */
  constructor(storage: AdminStorage, clock: Clock, key: string) {
    this.#storage = storage;
    this.#clock = clock;
    this.#key = key;
    const revocations = this.#revocations;
    const accounts = new AdminAccounts(storage, clock, revocations);
    this.accounts = accounts;
    this.invitations = new AdminInvitations(storage, clock);
    this.sessions = new AdminSessions(storage, clock, key, { accounts, revocations });
    this.tokens = new ApiTokens(storage, clock, { accounts, revocations });
  }

  onRevoked(listener: (revoked: Revoked) => void): void {
    this.#revocations.subscribe(listener);
  }

  /** A key for the printed link where no owner could come in otherwise; those printed before are worth nothing then. */
  async oneTimeKey(): Promise<string | null> {
    if (await this.accounts.hasOwnerWithPassword()) return null;
    return this.invitations.oneTimeKey('the coordinator, at its start');
  }

  /** The source of a request; `null` where its credentials are not valid. */
  async identify({ session, bearer }: Credentials): Promise<Actor | null> {
    if (bearer != null && bearer !== '') return this.#byBearer(bearer);
    if (session == null) return null;
    const found = await this.sessions.find(session);
    const owner = found === null ? null : await this.#ownerOf(found.admin);
    if (found === null || owner === null) return null;
    await this.sessions.touch(found);
    return { ...owner, session: found };
  }

  async #byBearer(bearer: string): Promise<Actor | null> {
    if (same(bearer, this.#key)) return actorOf(null);
    const token = await this.tokens.find(bearer);
    const owner = token === null ? null : await this.#ownerOf(token.admin);
    if (token === null || owner === null) return null;
    await this.tokens.touch(token);
    return {
      ...owner,
      name: `${owner.name} (${token.name})`,
      scopes: token.scopes.filter((scope) => owner.scopes.includes(scope)),
      token: token.id,
      validUntil: token.expiresAt,
    };
  }

  async #ownerOf(admin: string | null): Promise<Actor | null> {
    if (admin === null) return actorOf(null);
    const found = await this.accounts.find(admin);
    return found === undefined ? null : actorOf(found);
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
    if (!isOneTimeKey(key)) return null;
    const admin = await this.accounts.owner(async () => (await this.invitations.redeem(key)) !== null);
    return admin === null ? null : { admin, via: 'one-time-key' };
  }

  async #byPassword(login: {
    name: string;
    password: string;
  }): Promise<{ admin: AdminRecord; via: 'password' } | null> {
    const admin = await this.accounts.byPassword(login);
    return admin === null ? null : { admin, via: 'password' };
  }

  async #open(admin: AdminRecord | null, via: AdminSession['via'], from: Origin): Promise<string> {
    const secret = await this.sessions.open(admin, via, from);
    await this.#audit(admin?.id ?? null, admin?.name ?? KEY_NAME, 'login', from, { detail: via });
    return secret;
  }

  async signOut(actor: Actor, from: Origin): Promise<void> {
    if (actor.session === null) return;
    await this.sessions.end(actor.session.id);
    await this.record(actor, 'logout', from);
  }

  /**
   * Changes one's own name and password. A new password ends all other sessions of its owner.
   *
   * @throws CoppiceError `forbidden`, `login-refused`, `too-many-attempts`, `admin-name-taken`
   */
  async changeAccount(actor: Actor, { name, password, current }: Account, from: Origin): Promise<void> {
    const { session, admin: id } = actor;
    if (id === null || session === null)
      throw new CoppiceError('forbidden', 'The admin key and tokens have no name and password of their own.');
    if (password !== undefined) {
      ensureLength(password);
      const admin = await this.accounts.get(id);
      if (admin.password !== null && session.via !== 'one-time-key') {
        const takeBack = await this.#limit.attempt(from.address, admin.name);
        if (!(await passwordFits(current ?? '', admin.password)))
          throw new CoppiceError('login-refused', 'That is not your password so far.');
        await takeBack();
      }
    }
    const hash = password === undefined ? undefined : await hashPassword(password);
    await this.accounts.change(id, { name, password: hash });
    if (hash !== undefined) await this.sessions.endOthers(id, session.id);
    await this.record(actor, 'account-changed', from, {
      target: name ?? actor.name,
      detail: [...(name === undefined ? [] : ['name']), ...(hash === undefined ? [] : ['password'])].join(
        ', ',
      ),
    });
  }

  /**
   * Makes an admin of a person who was invited.
   *
   * @returns the secret of the new admin's first session.
   * @throws CoppiceError `admin-invitation-invalid`, `admin-name-taken`, `too-many-attempts`
   */
  async accept({ code, name, password }: AcceptInvitation, from: Origin): Promise<string> {
    const takeBack = await this.#limit.attempt(from.address, '');
    if (!(await this.invitations.isOpen(code))) throw invalid();
    await takeBack();
    await this.accounts.ensureFree(name, null);
    const made = await this.accounts.add(name, await hashPassword(password), async () => {
      const used = await this.invitations.redeem(code);
      if (used === null) throw invalid();
      return used.role;
    });
    await this.#audit(made.id, made.name, 'admin-joined', from, { target: made.name, detail: made.role });
    return this.#open(made, 'invitation', from);
  }

  /** Writes an action down; it is not reported as done before. */
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

function invalid(): CoppiceError {
  return new CoppiceError(
    'admin-invitation-invalid',
    'This invitation was used, withdrawn or is too old. Ask an owner for another.',
  );
}
