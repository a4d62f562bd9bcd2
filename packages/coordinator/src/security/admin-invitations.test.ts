import { ManualClock } from '@coppice/ports';
import { expect, it } from 'vitest';
import { memoryStorage } from '../storage/memory.ts';
import { actorOf } from './actor.ts';
import { AdminInvitations, isOneTimeKey } from './admin-invitations.ts';
import { DAY } from './validity.ts';

function invitations() {
  const clock = new ManualClock();
  return { it: new AdminInvitations(memoryStorage(), clock), clock };
}

it('opens once, with its role', async () => {
  const { it: all } = invitations();
  const { code, record } = await all.invite(actorOf(null), 'operator');
  expect(await all.isOpen(code)).toBe(true);
  expect(await all.redeem(code)).toMatchObject({ id: record.id, role: 'operator', by: 'admin key' });
  expect(await all.redeem(code)).toBeNull();
  expect(await all.isOpen(code)).toBe(false);
});

it('opens nothing after a week, or once it is withdrawn', async () => {
  const { it: all, clock } = invitations();
  const [first, second] = [
    await all.invite(actorOf(null), 'viewer'),
    await all.invite(actorOf(null), 'viewer'),
  ];
  await all.withdraw(first.record.id);
  await expect(all.withdraw(first.record.id)).rejects.toMatchObject({ code: 'admin-invitation-invalid' });
  expect(await all.redeem(first.code)).toBeNull();
  clock.advance(7 * DAY - 1);
  expect((await all.open()).map(({ id }) => id)).toEqual([second.record.id]);
  clock.advance(1);
  expect(await all.open()).toEqual([]);
  expect(await all.redeem(second.code)).toBeNull();
});

it('makes one one-time key at a time, which is in no list', async () => {
  const { it: all } = invitations();
  const [first, second] = [await all.oneTimeKey('a test'), await all.oneTimeKey('a test')];
  expect([isOneTimeKey(first), isOneTimeKey('invite-x')]).toEqual([true, false]);
  expect(await all.open()).toEqual([]);
  expect(await all.isOpen(second)).toBe(false);
  expect(await all.redeem(first)).toBeNull();
  expect(await all.redeem(second)).toMatchObject({ kind: 'setup', role: 'owner' });
});
