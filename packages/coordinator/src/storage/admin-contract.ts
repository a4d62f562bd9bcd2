import { expect, it } from 'vitest';
import type { AdminRecord, AdminSessionRecord, AdminStorage } from './admin-storage.ts';

const admin = (id: string, createdAt: number): AdminRecord => ({
  id,
  name: `name of ${id}`,
  role: 'viewer',
  password: null,
  createdAt,
});

const session = (id: string, of: string | null): AdminSessionRecord => ({
  id,
  hash: `hash of ${id}`,
  admin: of,
  via: 'password',
  proof: null,
  createdAt: 1_760_000_000_000,
  lastUsedAt: 1_760_000_000_000,
  expiresAt: 1_770_000_000_000,
  agent: 'a\0b',
  address: '::1',
});

/** The part of `storageContract` for admins and the audit log. */
export function adminContract(open: () => AdminStorage): void {
  it('keeps admins, oldest first, no two of one name, and forgets one with all that opens doors', async () => {
    const storage = open();
    await storage.putAdmin(admin('b', 2));
    await storage.putAdmin(admin('a', 1));
    await storage.putAdmin({ ...admin('b', 2), role: 'owner', password: 'x' });
    await expect(storage.putAdmin({ ...admin('c', 3), name: 'name of a' })).rejects.toThrow();
    expect(await storage.admins()).toEqual([
      admin('a', 1),
      { ...admin('b', 2), role: 'owner', password: 'x' },
    ]);
    await storage.addAdminSession(session('1', 'a'));
    await storage.addAdminSession(session('2', 'b'));
    await storage.addAdminSession(session('3', null));
    const token = {
      id: 't',
      hash: 'h',
      name: 'n',
      scopes: ['runs:read', 'metrics:read'],
      admin: 'a',
      createdAt: 1,
      lastUsedAt: null,
      expiresAt: null,
    } as const;
    await storage.addApiToken(token);
    await storage.addApiToken({ ...token, id: 'u', hash: 'i', admin: null });
    expect(await storage.apiToken('h')).toEqual(token);
    await storage.removeAdmin('a');
    expect((await storage.adminSessions()).map(({ id }) => id)).toEqual(['3', '2']);
    expect((await storage.apiTokens()).map(({ id }) => id)).toEqual(['u']);
    expect(await storage.apiToken('h')).toBeNull();
    await storage.touchApiToken({ id: 'u', lastUsedAt: 9 });
    expect((await storage.apiToken('i'))?.lastUsedAt).toBe(9);
    await storage.removeApiToken('u');
    expect(await storage.apiTokens()).toEqual([]);
  });

  it('finds a session by its hash, as it was, until it is removed', async () => {
    const storage = open();
    await storage.addAdminSession(session('1', 'a'));
    expect(await storage.adminSession('hash of 1')).toEqual({ ...session('1', 'a'), agent: 'a\uFFFDb' });
    await storage.touchAdminSession({ id: '1', lastUsedAt: 5, expiresAt: 6 });
    expect(await storage.adminSession('hash of 1')).toMatchObject({ lastUsedAt: 5, expiresAt: 6 });
    await storage.removeAdminSession('1');
    expect(await storage.adminSession('hash of 1')).toBeNull();
  });

  it('lets an invitation be used once, by one of many at the same moment, and not when it is too old', async () => {
    const storage = open();
    const invitation = {
      id: 'i',
      hash: 'h',
      kind: 'invitation',
      role: 'operator',
      by: 'b',
      createdAt: 1,
      expiresAt: 10,
      usedAt: null,
    } as const;
    await storage.addAdminInvitation(invitation);
    await storage.addAdminInvitation({ ...invitation, id: 'old', hash: 'o', createdAt: 0 });
    expect(await storage.useAdminInvitation('o', 10)).toBeNull();
    const used = await Promise.all([5, 6, 7, 8].map((at) => storage.useAdminInvitation('h', at)));
    expect(used.filter((one) => one !== null)).toHaveLength(1);
    expect(await storage.useAdminInvitation('nothing', 5)).toBeNull();
    expect((await storage.adminInvitations()).map(({ id, usedAt }) => [id, usedAt !== null])).toEqual([
      ['i', true],
      ['old', false],
    ]);
    await storage.removeAdminInvitation('i');
    expect((await storage.adminInvitations()).map(({ id }) => id)).toEqual(['old']);
  });

  it('numbers the audit log and pages it backwards; there is no way to change it', async () => {
    const storage = open();
    const entry = {
      at: 1_760_000_000_000,
      admin: null,
      name: 'n',
      action: 'x',
      target: 'a\0b',
      detail: 'd',
      address: '::1',
    };
    for (let n = 0; n < 4; n++)
      await storage.appendAudit({ ...entry, admin: n % 2 === 0 ? 'a' : null, action: n < 2 ? 'x' : 'y' });
    const ids = async (filter: Parameters<AdminStorage['audit']>[0]) =>
      (await storage.audit(filter)).map(({ id }) => id);
    expect(await ids({})).toEqual([4, 3, 2, 1]);
    expect(await ids({ before: 4, limit: 2 })).toEqual([3, 2]);
    expect(await ids({ admin: 'a' })).toEqual([3, 1]);
    expect(await ids({ admin: 'a', action: 'y' })).toEqual([3]);
    expect((await storage.audit({ limit: 1 }))[0]).toEqual({
      ...entry,
      id: 4,
      action: 'y',
      target: 'a\uFFFDb',
    });
    expect(
      Object.keys(storage)
        .filter((name) => /audit/i.test(name))
        .sort(),
    ).toEqual(['appendAudit', 'audit']);
  });
}
