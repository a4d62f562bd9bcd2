import type { Clock } from '@coppice/ports';
import { type Admin, CoppiceError, type Role } from '@coppice/protocol';
import type { AdminRecord, AdminStorage } from '../storage/admin-storage.ts';
import { oneAtATime } from '../storage/one-at-a-time.ts';
import { KEY_NAME } from './actor.ts';
import { passwordFits } from './passwords.ts';
import type { Revocations } from './revocations.ts';
import { newId } from './secrets.ts';

/** Admins by name, role and password. Names are used once, and one owner is always left. */
export class AdminAccounts {
  readonly #storage: Pick<AdminStorage, 'admins' | 'putAdmin' | 'removeAdmin'>;
  readonly #clock: Clock;
  readonly #revocations: Revocations;
  /** Changes are made one after the other: each is checked against the one before. */
  readonly #inTurn = oneAtATime();

  constructor(storage: AdminStorage, clock: Clock, revocations: Revocations) {
    this.#storage = storage;
    this.#clock = clock;
    this.#revocations = revocations;
  }

  /** Oldest first. */
  async all(): Promise<Admin[]> {
    return (await this.#storage.admins()).map(shown);
  }

  /** The name of each admin, and of the standing key (`null`). */
  async names(): Promise<(id: string | null) => string> {
    const names = new Map((await this.#storage.admins()).map(({ id, name }) => [id, name]));
    return (id) => (id === null ? KEY_NAME : (names.get(id) ?? '?'));
  }

  async find(id: string): Promise<AdminRecord | undefined> {
    return (await this.#storage.admins()).find((admin) => admin.id === id);
  }

  /** @throws CoppiceError `admin-unknown` */
  async get(id: string): Promise<AdminRecord> {
    const found = await this.find(id);
    if (found === undefined) throw new CoppiceError('admin-unknown', `There is no admin "${id}" any more.`);
    return found;
  }

  /** The admin of this name and password; `null` where they do not fit together. */
  async byPassword({ name, password }: { name: string; password: string }): Promise<AdminRecord | null> {
    const admin = (await this.#storage.admins()).find((one) => equalNames(one.name, name));
    const fits = await passwordFits(password, admin?.password ?? null);
    return fits && admin !== undefined ? admin : null;
  }

  /** Whether an owner can come in by a password. */
  async hasOwnerWithPassword(): Promise<boolean> {
    return (await this.#storage.admins()).some(({ role, password }) => role === 'owner' && password !== null);
  }

  /** The oldest owner, made where there is none, if `redeem` gives a right to it; else `null`. */
  owner(redeem: () => Promise<boolean>): Promise<AdminRecord | null> {
    return this.#inTurn(async () => {
      if (!(await redeem())) return null;
      const admins = await this.#storage.admins();
      const owner = admins.find(({ role }) => role === 'owner');
      if (owner !== undefined) return owner;
      let name = 'Owner';
      for (let n = 2; admins.some((admin) => equalNames(admin.name, name)); n++) name = `Owner ${n}`;
      return this.#put(name, 'owner', null);
    });
  }

  /**
   * Makes an admin whose role `redeem` gives.
   *
   * @param password as it is stored.
   * @throws CoppiceError `admin-name-taken`; what `redeem` throws.
   */
  add(name: string, password: string, redeem: () => Promise<Role>): Promise<AdminRecord> {
    return this.#inTurn(async () => {
      await this.ensureFree(name, null);
      return this.#put(name, await redeem(), password);
    });
  }

  /** @param changes.password as it is stored. @throws CoppiceError `admin-unknown`, `admin-name-taken` */
  change(
    id: string,
    { name, password }: { name?: string | undefined; password?: string | undefined },
  ): Promise<void> {
    return this.#inTurn(async () => {
      const admin = await this.get(id);
      if (name !== undefined) await this.ensureFree(name, id);
      await this.#storage.putAdmin({
        ...admin,
        name: name ?? admin.name,
        password: password ?? admin.password,
      });
    });
  }

  /** @throws CoppiceError `admin-unknown`, `last-owner` */
  changeRole(id: string, role: Role): Promise<Admin> {
    return this.#inTurn(async () => {
      const admin = await this.get(id);
      if (role !== 'owner') await this.#ensureOtherOwner(admin);
      const changed = { ...admin, role };
      await this.#storage.putAdmin(changed);
      return shown(changed);
    });
  }

  /** Removes an admin, with all sessions and tokens. @throws CoppiceError `admin-unknown`, `last-owner` */
  async remove(id: string): Promise<Admin> {
    const removed = await this.#inTurn(async () => {
      const admin = await this.get(id);
      await this.#ensureOtherOwner(admin);
      await this.#storage.removeAdmin(id);
      return admin;
    });
    this.#revocations.tell({ admin: id });
    return shown(removed);
  }

  /** @param except an admin that may have the name. @throws CoppiceError `admin-name-taken` */
  async ensureFree(name: string, except: string | null): Promise<void> {
    const taken = (await this.#storage.admins()).some(
      (admin) => admin.id !== except && equalNames(admin.name, name),
    );
    if (taken || equalNames(name, KEY_NAME))
      throw new CoppiceError(
        'admin-name-taken',
        `Somebody is called "${name}" already. Choose another name.`,
      );
  }

  async #ensureOtherOwner(admin: AdminRecord): Promise<void> {
    if (admin.role !== 'owner') return;
    const owners = (await this.#storage.admins()).filter(({ role }) => role === 'owner');
    if (owners.length === 1)
      throw new CoppiceError('last-owner', 'This is the last owner. Make somebody else an owner first.');
  }

  async #put(name: string, role: Role, password: string | null): Promise<AdminRecord> {
    const admin = { id: newId(), name, role, password, createdAt: this.#clock.now() };
    await this.#storage.putAdmin(admin);
    return admin;
  }
}

function shown({ password, ...admin }: AdminRecord): Admin {
  return { ...admin, hasPassword: password !== null };
}

function equalNames(a: string, b: string): boolean {
  const plain = (name: string) => name.normalize('NFKC').trim().toLowerCase();
  return plain(a) === plain(b);
}
