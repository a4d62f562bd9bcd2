import { ManualClock } from '@coppice/ports';
import type { Role } from '@coppice/protocol';
import { describe, expect, it } from 'vitest';
import { memoryStorage } from '../storage/memory.ts';
import { AdminAccounts } from './admin-accounts.ts';
import { Revocations, type Revoked } from './revocations.ts';

function accounts() {
  const revoked: Revoked[] = [];
  const revocations = new Revocations();
  revocations.subscribe((one) => void revoked.push(one));
  const clock = new ManualClock();
  const it = new AdminAccounts(memoryStorage(), clock, revocations);
  const add = (name: string, role: Role) => {
    clock.advance(1);
    return it.add(name, 'a stored password', async () => role);
  };
  const all = async () => (await it.all()).map(({ name, role }) => `${name}: ${role}`);
  return { it, clock, add, all, revoked };
}

describe('a name', () => {
  it('is used once, however it is written, and is never that of the key', async () => {
    const { it: admins, add } = accounts();
    const first = await add('Ada', 'owner');
    for (const name of ['Ada', ' aDA ', 'Ａda', 'Admin Key'])
      await expect(add(name, 'viewer'), name).rejects.toMatchObject({ code: 'admin-name-taken' });
    // One's own may be written in another way.
    await admins.change(first.id, { name: 'ADA' });
    expect(await admins.all()).toMatchObject([{ name: 'ADA', hasPassword: true }]);
  });

  it('goes to one of two admins that choose it at once', async () => {
    const { add, all } = accounts();
    const both = await Promise.allSettled([add('Ada', 'owner'), add('ada', 'viewer')]);
    expect(both).toMatchObject([{ status: 'fulfilled' }, { reason: { code: 'admin-name-taken' } }]);
    expect(await all()).toEqual(['Ada: owner']);
  });

  it('is looked for before what gives the role is used', async () => {
    const { it: admins, add } = accounts();
    await add('Ada', 'owner');
    let redeemed = false;
    const redeem = async () => {
      redeemed = true;
      return 'viewer' as const;
    };
    await expect(admins.add('Ada', 'x', redeem)).rejects.toMatchObject({ code: 'admin-name-taken' });
    expect(redeemed).toBe(false);
  });
});

describe('the last owner', () => {
  it('stays, and stays an owner', async () => {
    const { it: admins, add, all, revoked } = accounts();
    const { id } = await add('Ada', 'owner');
    await add('Bo', 'operator');
    await expect(admins.remove(id)).rejects.toMatchObject({ code: 'last-owner' });
    await expect(admins.changeRole(id, 'viewer')).rejects.toMatchObject({ code: 'last-owner' });
    expect(await all()).toEqual(['Ada: owner', 'Bo: operator']);
    expect(revoked).toEqual([]);
  });

  it('is one of two that remove each other at once', async () => {
    const { it: admins, add, all, revoked } = accounts();
    const [ada, bo] = [await add('Ada', 'owner'), await add('Bo', 'owner')];
    const both = await Promise.allSettled([admins.remove(ada.id), admins.remove(bo.id)]);
    expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(await all()).toEqual(['Bo: owner']);
    expect(revoked).toEqual([{ admin: ada.id }]);
  });
});

describe('a right to the account of an owner', () => {
  it('opens the oldest one, and makes one where there is none', async () => {
    const { it: admins, clock, add, all } = accounts();
    expect(await admins.owner(async () => false)).toBeNull();
    expect(await all()).toEqual([]);
    await add('owner', 'viewer');
    clock.advance(1);
    expect(await admins.owner(async () => true)).toMatchObject({ name: 'Owner 2', password: null });
    await add('Ada', 'owner');
    expect(await admins.owner(async () => true)).toMatchObject({ name: 'Owner 2' });
    expect(await all()).toEqual(['owner: viewer', 'Owner 2: owner', 'Ada: owner']);
    expect(await admins.hasOwnerWithPassword()).toBe(true);
  });
});

it('keeps names of admins that are gone from lists, and knows the key by its own', async () => {
  const { it: admins, add } = accounts();
  const { id } = await add('Ada', 'viewer');
  expect((await admins.names())(id)).toBe('Ada');
  await admins.remove(id);
  const names = await admins.names();
  expect([names(id), names(null)]).toEqual(['?', 'admin key']);
  await expect(admins.get(id)).rejects.toMatchObject({ code: 'admin-unknown' });
});
