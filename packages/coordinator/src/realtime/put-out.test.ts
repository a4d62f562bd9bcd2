import { CoppiceError } from '@coppice/protocol';
import { expect, it } from 'vitest';
import { putOut } from './put-out.ts';
import { fakeSocket } from './socket.testing.ts';

it('ends the parts that a run admits no more and the connections of banned participants, with one word each', () => {
  const sockets = new Map(
    ['fine', 'uninvited', 'banned', 'banned-elsewhere'].map((id) => [id, fakeSocket(id)]),
  );
  const refusals: Record<string, string[]> = {
    uninvited: ['r'],
    away: ['r'],
    banned: ['r', 'everything'],
    'banned-elsewhere': ['everything'],
  };
  const ended: string[] = [];
  const engine = {
    id: 'r',
    members: () => ['fine', 'uninvited', 'away', 'banned'],
    putOut: (participant: string, why: CoppiceError) => void ended.push(`${participant} ${why.code}`),
  };
  putOut(
    { engines: () => [engine as never] },
    {
      refusal: (participant, run) =>
        refusals[participant]?.includes(run ?? 'everything') !== true
          ? null
          : new CoppiceError(run === null ? 'participant-banned' : 'run-not-admitted', 'No.'),
    },
    {
      socketOf: (participant) => sockets.get(participant)?.socket ?? null,
      *sockets() {
        for (const [id, { socket }] of sockets) yield [id, socket];
      },
    },
  );
  expect(ended).toEqual(['uninvited run-not-admitted', 'away run-not-admitted', 'banned run-not-admitted']);
  const told = (id: string) => sockets.get(id)?.sent;
  expect(told('fine')).toEqual([]);
  expect(told('uninvited')).toMatchObject([
    { name: 'notice', message: { code: 'run-not-admitted', run: 'r' } },
  ]);
  for (const id of ['banned', 'banned-elsewhere']) {
    expect(told(id)).toMatchObject([{ name: 'notice', message: { code: 'participant-banned' } }]);
    expect(told(id)?.[0]?.message).not.toHaveProperty('run');
  }
  expect([...sockets].filter(([, { isConnected }]) => isConnected).map(([id]) => id)).toEqual([
    'fine',
    'uninvited',
  ]);
});
