import { ManualClock } from '@coppice/ports';
import type { Request, Response } from 'express';
import { expect, it } from 'vitest';
import { credentialsOf, setSession } from '../http/access.ts';
import { memoryStorage } from '../storage/memory.ts';
import { Admins } from './admins.ts';

const DAY = 24 * 60 * 60 * 1000;
const from = { address: '::1', agent: 'a test' };

it('a session is valid for 30 days after its last use, however long it is used', async () => {
  const clock = new ManualClock();
  const admins = new Admins(memoryStorage(), clock, 'the-standing-key');
  const session = await admins.signIn({ key: 'the-standing-key' }, from);
  for (let day = 0; day < 90; day += 29) {
    await clock.advance(29 * DAY);
    expect(await admins.identify({ session })).not.toBeNull();
  }
  await clock.advance(30 * DAY);
  expect(await admins.identify({ session })).toBeNull();
});

it('a session of the admin key is worth nothing once another key is configured, and again with the same', async () => {
  const clock = new ManualClock();
  const storage = memoryStorage();
  const session = await new Admins(storage, clock, 'first-key').signIn({ key: 'first-key' }, from);
  expect(await new Admins(storage, clock, 'second-key').identify({ session })).toBeNull();
  expect(await new Admins(storage, clock, 'first-key').identify({ session })).not.toBeNull();
});

it('a token is valid until its day, and never allows more than its maker may', async () => {
  const clock = new ManualClock();
  const storage = memoryStorage();
  const admins = new Admins(storage, clock, 'the-standing-key');
  const maker = { id: 'm', name: 'M', role: 'operator', password: null, createdAt: 0 } as const;
  await storage.putAdmin(maker);
  const session = await admins.signIn({ key: 'the-standing-key' }, from);
  const actor = await admins.identify({ session });
  if (actor === null) throw new Error('nobody is signed in');
  const { token } = await admins.tokens.make(
    { ...actor, admin: 'm' },
    { name: 't', scopes: ['runs:write', 'runs:read'], days: 1 },
  );
  expect((await admins.identify({ bearer: token }))?.scopes).toEqual(['runs:write', 'runs:read']);
  await storage.putAdmin({ ...maker, role: 'viewer' });
  expect((await admins.identify({ bearer: token }))?.scopes).toEqual(['runs:read']);
  await clock.advance(DAY);
  expect(await admins.identify({ bearer: token })).toBeNull();
});

it('over TLS the cookie is Secure and bound to this host, and the plain one is not taken', () => {
  const set: unknown[][] = [];
  const response = { cookie: (...given: unknown[]) => set.push(given) } as unknown as Response;
  setSession({ secure: true } as Request, response, 'x');
  expect(set).toMatchObject([
    ['__Host-coppice_session', 'x', { httpOnly: true, sameSite: 'strict', secure: true, path: '/' }],
  ]);
  expect(credentialsOf({ cookie: 'coppice_session=y' }, true)).toEqual({ session: null });
  expect(credentialsOf({ cookie: 'coppice_session=y; __Host-coppice_session=x' }, true)).toEqual({
    session: 'x',
  });
});
