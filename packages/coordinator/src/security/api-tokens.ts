import type { Clock } from '@coppice/ports';
import { type ApiToken, CoppiceError, type CreateToken, type NewApiToken } from '@coppice/protocol';
import type { AdminStorage, ApiTokenRecord } from '../storage/admin-storage.ts';
import type { Actor } from './actor.ts';
import type { AdminAccounts } from './admin-accounts.ts';
import type { Revocations } from './revocations.ts';
import { hashOf, newId, newSecret } from './secrets.ts';
import { DAY, TOUCH_AFTER } from './validity.ts';

/** Tokens of admins for programs. Each is shown once, and kept by its hash. */
export class ApiTokens {
  readonly #storage: AdminStorage;
  readonly #clock: Clock;
  readonly #accounts: Pick<AdminAccounts, 'names'>;
  readonly #revocations: Revocations;

  constructor(
    storage: AdminStorage,
    clock: Clock,
    { accounts, revocations }: { accounts: Pick<AdminAccounts, 'names'>; revocations: Revocations },
  ) {
    this.#storage = storage;
    this.#clock = clock;
    this.#accounts = accounts;
    this.#revocations = revocations;
  }

  async make(actor: Actor, { name, scopes, days }: CreateToken): Promise<NewApiToken> {
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

  /** The valid token of this secret; `null`: none. */
  async find(secret: string): Promise<ApiTokenRecord | null> {
    const token = await this.#storage.apiToken(hashOf(secret));
    if (token === null) return null;
    return token.expiresAt !== null && token.expiresAt <= this.#clock.now() ? null : token;
  }

  /** A token was used. */
  async touch({ id, lastUsedAt }: ApiTokenRecord): Promise<void> {
    const now = this.#clock.now();
    if (lastUsedAt === null || now - lastUsedAt >= TOUCH_AFTER)
      await this.#storage.touchApiToken({ id, lastUsedAt: now });
  }

  /** Newest first. */
  async all(): Promise<ApiToken[]> {
    const names = await this.#accounts.names();
    return (await this.#storage.apiTokens()).map(({ hash: _hash, admin, scopes, ...token }) => ({
      ...token,
      scopes: [...scopes],
      by: names(admin),
    }));
  }

  /** @throws CoppiceError `not-found` */
  async revoke(id: string): Promise<ApiToken> {
    const found = (await this.all()).find((token) => token.id === id);
    if (found === undefined) throw new CoppiceError('not-found', 'There is no such token any more.');
    await this.#storage.removeApiToken(id);
    this.#revocations.tell({ token: id });
    return found;
  }
}
