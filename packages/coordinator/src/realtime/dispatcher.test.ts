import { ManualClock } from '@coppice/ports';
import { CoppiceError, type WireError } from '@coppice/protocol';
import { expect, it } from 'vitest';
import { Dispatcher } from './dispatcher.ts';
import type { Handlers } from './handlers.ts';
import { MAX_OFFENCES, Offences } from './offences.ts';
import { senderOf } from './sender.ts';
import { fakeSocket } from './socket.testing.ts';

/** A connection whose messages are answered by these handlers. */
function listening(handlers: Partial<Handlers>) {
  const answered: string[] = [];
  const logged: string[] = [];
  const offences = new Offences(new ManualClock());
  const dispatcher = new Dispatcher(handlers as Handlers, {
    offences,
    logger: {
      debug: () => {},
      warn: () => void logged.push('warn'),
      error: () => void logged.push('error'),
    } as never,
    answered: (name, result) => void answered.push(`${name} ${result}`),
  });
  const connection = fakeSocket();
  dispatcher.listen(senderOf('a participant', connection.socket, new Set()));
  const ask = (name: string, payload: unknown) =>
    new Promise<unknown>((resolve) => connection.receive(name, payload, resolve));
  return { connection, answered, logged, offences, ask };
}

const ok = { run: 'iris-1' };

it('hands a message that fits its schema to its handler, and answers with its value', async () => {
  const heard: unknown[] = [];
  const { ask, answered } = listening({
    leave: (message, { participant }) => {
      heard.push(message, participant);
      return null;
    },
  });
  expect(await ask('leave', ok)).toEqual({ ok: true, value: null });
  expect(heard).toEqual([ok, 'a participant']);
  expect(await ask('leave', { ...ok, more: 1 })).toMatchObject({ error: { code: 'message-invalid' } });
  expect(heard).toHaveLength(2);
  expect(answered).toEqual(['leave ok', 'leave message-invalid']);
});

it('answers with the error that a handler throws, and keeps to itself what is its own business', async () => {
  const errors: unknown[] = [new CoppiceError('run-ended', 'It is over.'), new Error('at /home/x')];
  const { ask, logged } = listening({
    leave: () => {
      throw errors.shift();
    },
  });
  expect(await ask('leave', ok)).toMatchObject({ error: { code: 'run-ended', message: 'It is over.' } });
  expect(logged).toEqual([]);
  const reply = (await ask('leave', ok)) as { error: WireError };
  expect(reply.error.code).toBe('internal');
  expect(reply.error.message).not.toContain('/home');
  expect(logged).toEqual(['error']);
});

it('tells a sender that asked for no answer that it is not understood', async () => {
  const { connection, answered } = listening({ progress: () => undefined });
  connection.receive('progress', 'nonsense');
  await expect.poll(() => answered).toEqual(['progress message-invalid']);
  expect(connection.sent).toMatchObject([{ name: 'notice', message: { code: 'message-invalid' } }]);
});

it('answers a message that it does not know, of any name', async () => {
  const { connection, ask, answered } = listening({ leave: () => null });
  expect(await ask('fly', {})).toMatchObject({ ok: false, error: { code: 'message-unknown' } });
  connection.receive(7 as never, {});
  expect(connection.sent).toMatchObject([{ name: 'notice', message: { code: 'message-unknown' } }]);
  // The proof of a key has its own listener.
  connection.receive('prove', {});
  expect(answered).toEqual(['unknown message-unknown', 'unknown message-unknown']);
});

it('disconnects a participant that goes on sending messages of no use, and says until when', async () => {
  const { connection, ask, offences } = listening({ leave: () => null });
  for (let n = 1; n < MAX_OFFENCES; n++) await ask('leave', 'nonsense');
  expect(connection.isConnected).toBe(true);
  await ask('leave', 'nonsense');
  expect(connection.isConnected).toBe(false);
  const wait = offences.wait('a participant');
  expect(wait).toBeGreaterThan(0);
  expect(connection.sent).toMatchObject([
    { name: 'notice', message: { code: 'too-many-offences', retryAfter: wait } },
  ]);
  // A message that was under way is answered, and ends no connection a second time.
  expect(await ask('leave', 'nonsense')).toMatchObject({ ok: false });
  expect(connection.sent).toHaveLength(1);
});
