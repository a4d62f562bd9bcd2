import { ManualClock } from '@coppice/ports';
import { expect, it } from 'vitest';
import type { AdminRecord } from '../storage/admin-storage.ts';
import { memoryStorage } from '../storage/memory.ts';
import { actorOf } from './actor.ts';
import { AdminSessions, SESSION_DAYS } from './admin-sessions.ts';
import { Revocations, type Revoked } from './revocations.ts';
import { DAY } from './validity.ts';

const from = { address: '::1', agent: 'a test' };
const admin = (id: string, role: AdminRecord['role'] = 'viewer'): AdminRecord => ({
  id,
  name: id,
  role,
  password: null,
  createdAt: 0,
});

function sessions() {
  const clock = new ManualClock();
  const storage = memoryStorage();
  const revoked: Revoked[] = [];
  const revocations = new Revocations();
  revocations.subscribe((one) => void revoked.push(one));
  const accounts = { names: async () => (id: string | null) => id ?? 'the key' };
  const it = new AdminSessions(storage, clock, 'the-standing-key', { accounts, revocations });
  const open = async (owner: AdminRecord | null) => {
    const session = await it.find(await it.open(owner, owner === null ? 'admin-key' : 'password', from));
    if (session === null) throw new Error('it is not valid');
    return session;
  };
  return { it, clock, storage, revoked, open };
}

it('are seen and ended by their admin, and all of them by an owner', async () => {
  const { it: all, open, revoked } = sessions();
  const [mine, other, ofKey] = [await open(admin('a')), await open(admin('b')), await open(null)];
  const viewer = { ...actorOf(admin('a')), session: mine };
  expect(await all.of(viewer)).toMatchObject([{ id: mine.id, name: 'a', own: true }]);
  await expect(all.revoke(viewer, other.id)).rejects.toMatchObject({ code: 'not-found' });
  const owner = actorOf(admin('o', 'owner'));
  expect((await all.of(owner)).map(({ name }) => name).sort()).toEqual(['a', 'b', 'the key']);
  await all.revoke(owner, ofKey.id);
  await all.revoke(viewer, mine.id);
  expect(revoked).toEqual([{ session: ofKey.id }, { session: mine.id }]);
  // Nothing of a session's secret goes out.
  for (const shown of await all.of(owner)) {
    expect(shown).not.toHaveProperty('hash');
    expect(shown).not.toHaveProperty('proof');
  }
});

it('are not seen by a token, but for one that may change admins', async () => {
  const { it: all, open } = sessions();
  await open(admin('a'));
  const token = { ...actorOf(admin('a')), token: 't' };
  expect(await all.of(token)).toEqual([]);
  expect(await all.of({ ...token, scopes: ['admins:write'] })).toHaveLength(1);
});

it('of one admin end but for one', async () => {
  const { it: all, open, revoked } = sessions();
  const [kept, ended, other] = [await open(admin('a')), await open(admin('a')), await open(admin('b'))];
  await all.endOthers('a', kept.id);
  expect(revoked).toEqual([{ session: ended.id }]);
  expect((await all.of(actorOf(null))).map(({ id }) => id).sort()).toEqual([kept.id, other.id].sort());
});

it('that are too old are removed when another is opened', async () => {
  const { open, clock, storage } = sessions();
  const old = await open(admin('a'));
  clock.advance(SESSION_DAYS * DAY);
  const fresh = await open(admin('a'));
  expect((await storage.adminSessions()).map(({ id }) => id)).toEqual([fresh.id]);
  expect(old.id).not.toBe(fresh.id);
});

it('are written down as used at most once a minute', async () => {
  const { it: all, open, clock, storage } = sessions();
  const session = await open(admin('a'));
  const usedAt = async () => (await storage.adminSessions())[0]?.lastUsedAt;
  clock.advance(59_999);
  await all.touch(session);
  expect(await usedAt()).toBe(0);
  clock.advance(1);
  await all.touch(session);
  expect(await usedAt()).toBe(60_000);
});
