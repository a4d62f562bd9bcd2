import type { Clock } from '@coppice/ports';
import { CoppiceError, type Role } from '@coppice/protocol';
import type { AdminInvitationRecord, AdminStorage } from '../storage/admin-storage.ts';
import type { Actor } from './actor.ts';
import { hashOf, newId, newSecret } from './secrets.ts';
import { DAY } from './validity.ts';

const INVITATION_DAYS = 7;
const ONE_TIME_KEY_DAYS = 30;
const ONE_TIME = 'once-';
const INVITATION = 'invite-';

/** A one-time key that opens the first owner's account, and its record. */
export function newOneTimeKey(
  now: number,
  by: string,
  days = ONE_TIME_KEY_DAYS,
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

export function isOneTimeKey(key: string): boolean {
  return key.startsWith(ONE_TIME);
}

/** Invitations to become an admin, and one-time keys. Each opens once, and is kept by its hash. */
export class AdminInvitations {
  readonly #storage: AdminStorage;
  readonly #clock: Clock;

  constructor(storage: AdminStorage, clock: Clock) {
    this.#storage = storage;
    this.#clock = clock;
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

  /** A new one-time key; those made before are worth nothing then. */
  async oneTimeKey(by: string): Promise<string> {
    for (const { id, kind, usedAt } of await this.#storage.adminInvitations())
      if (kind === 'setup' && usedAt === null) await this.#storage.removeAdminInvitation(id);
    const { key, record } = newOneTimeKey(this.#clock.now(), by);
    await this.#storage.addAdminInvitation(record);
    return key;
  }

  /** Invitations that can still be used. */
  async open(): Promise<AdminInvitationRecord[]> {
    const now = this.#clock.now();
    return (await this.#storage.adminInvitations()).filter(
      ({ kind, usedAt, expiresAt }) => kind === 'invitation' && usedAt === null && expiresAt > now,
    );
  }

  async isOpen(code: string): Promise<boolean> {
    const hash = hashOf(code);
    return (await this.open()).some((invitation) => invitation.hash === hash);
  }

  /** Uses an invitation or a one-time key; `null` where it opens nothing (any more). */
  redeem(secret: string): Promise<AdminInvitationRecord | null> {
    return this.#storage.useAdminInvitation(hashOf(secret), this.#clock.now());
  }

  /** @throws CoppiceError `admin-invitation-invalid` */
  async withdraw(id: string): Promise<AdminInvitationRecord> {
    const found = (await this.open()).find((invitation) => invitation.id === id);
    if (found === undefined)
      throw new CoppiceError(
        'admin-invitation-invalid',
        'This invitation was used, withdrawn or is too old.',
      );
    await this.#storage.removeAdminInvitation(id);
    return found;
  }
}
