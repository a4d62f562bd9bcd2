import { CoppiceError, type Run, type Task, type Up } from '@coppice/protocol';
import { describe, expect, it } from 'vitest';
import type { Runs } from '../registry/runs.ts';
import type { Admissions } from '../security/admissions.ts';
import { TaskAnswers } from '../watch/answers.ts';
import { TaskOffers } from '../watch/offers.ts';
import { AdmittedRuns } from './admitted-runs.ts';
import { handlersOf } from './handlers.ts';
import { senderOf } from './sender.ts';
import { fakeSocket } from './socket.testing.ts';
import { Watches } from './watches.ts';

/** The handlers of a coordinator with the run `r`, which admits participants by invitation. */
function handlers({ requires = [] as string[] } = {}) {
  const calls: string[] = [];
  const admitted = new Set<string>();
  let redeem: Promise<void> = Promise.resolve();
  const engine = {
    record: { plan: {} },
    requires,
    join: (participant: string) => void calls.push(`join ${participant}`),
    leave: (participant: string) => void calls.push(`leave ${participant}`),
    progress: () => void calls.push('progress'),
    afterJoin: () => {},
    answer: async (_: string, { frame }: Up<'answer'>, unread: () => void) => {
      calls.push(`holds ${held}, frame ${frame.byteLength}`);
      unread();
      calls.push(`holds ${held}, frame ${frame.byteLength}`);
      return { duplicate: true, next: null };
    },
    answerPiece: async (_: string, { bytes }: Up<'answer-piece'>, unread: () => void) => {
      unread();
      calls.push(`holds ${held}, piece ${bytes.byteLength}`);
      return 1;
    },
  };
  let held = 0;
  const hold = (bytes: number) => {
    held += bytes;
    return () => {
      held -= bytes;
    };
  };
  const known = (id: string) => {
    if (id !== 'r') throw new CoppiceError('run-unknown', 'There is no such run.');
  };
  const run = { id: 'r', admission: 'invited', central: { loss: 1, accuracy: 1, examples: 1 } } as Run;
  const runs = {
    engine: (id: string) => {
      known(id);
      return engine;
    },
    get: (id: string) => {
      known(id);
      return run;
    },
    has: (id: string) => id === 'r',
    listed: () => [run],
    model: async () => ({ round: 0, checkpoint: 'c' }),
  } as unknown as Runs;
  const admissions = {
    refusal: (participant: string) =>
      admitted.has(participant) ? null : new CoppiceError('run-not-admitted', 'No.'),
    come: async (participant: string, _run: string, invitation: string) => {
      calls.push(`come ${participant} ${invitation}`);
      await redeem;
      if (invitation !== 'good') throw new CoppiceError('invitation-invalid', 'No.');
      admitted.add(participant);
    },
  } as unknown as Admissions;
  const { socket } = fakeSocket();
  const sender = senderOf('p', socket, new Set());
  let connection: typeof socket | null = socket;
  const joined: string[] = [];
  const watches = new Watches();
  const table = handlersOf({
    runs,
    admitted: new AdmittedRuns(runs, admissions),
    admissions,
    presences: { socketOf: () => connection, joined: (_participant, id) => void joined.push(id) },
    watches,
    intake: { hold },
    tasks: { get: () => ({ id: 't' }) as Task },
    monitored: {
      offers: new TaskOffers({ admissions, newSecret: () => 'secret', tell: () => {} }),
      answers: new TaskAnswers(),
      isWatched: () => false,
    },
  });
  const about = { run: 'r', device: 'headless', backend: 'cpu', examples: 1, speed: null, paused: false };
  return {
    table,
    sender,
    calls,
    joined,
    admitted,
    watches,
    join: async (more: Partial<Up<'join'>> = {}) => table.join({ ...about, ...more } as Up<'join'>, sender),
    /** Invitations are redeemed when this is called. */
    hold: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      redeem = promise;
      return resolve;
    },
    replaced: () => {
      connection = null;
    },
    held: () => held,
  };
}

describe('"join"', () => {
  it('redeems an invitation where the run does not admit its sender yet, and only there', async () => {
    const { join, calls, joined } = handlers();
    await expect(join()).rejects.toMatchObject({ code: 'run-not-admitted' });
    await expect(join({ invitation: 'bad' })).rejects.toMatchObject({ code: 'invitation-invalid' });
    await join({ invitation: 'good' });
    await join({ invitation: 'good' });
    expect(calls).toEqual(['come p bad', 'come p good', 'join p', 'join p']);
    expect(joined).toEqual(['r', 'r']);
  });

  it('spends no use of an invitation on a run that is not there', async () => {
    const { join, calls } = handlers();
    await expect(join({ run: 'x', invitation: 'good' })).rejects.toMatchObject({ code: 'run-unknown' });
    expect(calls).toEqual([]);
  });

  it('takes the invitations of a sender one after the other', async () => {
    const { join, hold, calls } = handlers();
    const redeem = hold();
    const both = [join({ invitation: 'bad' }), join({ invitation: 'good' })];
    await Promise.resolve();
    await Promise.resolve();
    expect(calls).toEqual(['come p bad']);
    redeem();
    expect((await Promise.allSettled(both)).map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
  });

  it('does not join a run for a connection that broke meanwhile', async () => {
    const { join, hold, replaced, calls, admitted } = handlers();
    const redeem = hold();
    const coming = join({ invitation: 'good' });
    await Promise.resolve();
    replaced();
    redeem();
    await expect(coming).rejects.toMatchObject({ code: 'connection-lost' });
    // The next connection is let in without another use.
    expect(admitted.has('p')).toBe(true);
    expect(calls).toEqual(['come p good']);
  });

  it('refuses a program that lacks a capability, by name', async () => {
    const { join, admitted, calls } = handlers({ requires: ['layout:x'] });
    admitted.add('p');
    await expect(join()).rejects.toMatchObject({
      code: 'plan-unsupported',
      message: expect.stringContaining('layout:x'),
    });
    expect(calls).toEqual([]);
  });
});

it('holds every message about a run to its admission, but for that of a member that leaves', async () => {
  const { table, sender, calls } = handlers();
  const call = async (work: () => unknown) => work();
  const refused = { code: 'run-not-admitted' };
  const ticket = 't';
  await expect(call(() => table.pull({ run: 'r' }, sender))).rejects.toMatchObject(refused);
  await expect(call(() => table.progress({ run: 'r' } as Up<'progress'>, sender))).rejects.toMatchObject(
    refused,
  );
  await expect(
    call(() => table.decline({ run: 'r', ticket, reason: 'paused' }, sender)),
  ).rejects.toMatchObject(refused);
  await expect(call(() => table.counted({ run: 'r', tickets: [] }, sender))).rejects.toMatchObject(refused);
  expect(await table.leave({ run: 'r' }, sender)).toBeNull();
  expect(calls).toEqual(['leave p']);
});

it('says of an unknown run that it is unknown, not that it admits nobody', async () => {
  const { table, sender } = handlers();
  await expect((async () => table.pull({ run: 'x' }, sender))()).rejects.toMatchObject({
    code: 'run-unknown',
  });
});

describe('"watch"', () => {
  it('tells of listed and named runs once each, and of those that do not admit the sender less', async () => {
    const { table, sender, watches, admitted } = handlers();
    const watch = async () => (await table.watch({ runs: ['r', 'r', 'x'], arrivals: true }, sender)).runs;
    expect(await watch()).toMatchObject([{ id: 'r', central: null }]);
    expect([...watches.of('r')]).toEqual(['p']);
    admitted.add('p');
    expect(await watch()).toMatchObject([{ id: 'r', central: { loss: 1 } }]);
  });

  it('of a connection that was replaced is answered, and watches nothing', async () => {
    const { table, sender, watches, replaced } = handlers();
    replaced();
    expect((await table.watch({ runs: ['r'], arrivals: true }, sender)).runs).toHaveLength(1);
    expect([...watches.of('r'), ...watches.arrivals]).toEqual([]);
  });
});

describe('the bytes of a message', () => {
  const about = { run: 'r', ticket: 't', weight: 1, milliseconds: 1 };

  it('are given back as soon as they are not needed, and counted once', async () => {
    const { table, sender, admitted, calls, held } = handlers();
    admitted.add('p');
    await table.answer({ ...about, frame: new Uint8Array(100) }, sender);
    await table['answer-piece']({ ...about, piece: 0, bytes: new Uint8Array(70) }, sender);
    expect(calls).toEqual(['holds 100, frame 100', 'holds 0, frame 0', 'holds 0, piece 0']);
    expect(held()).toBe(0);
  });

  it('are not counted any more where the message is refused', async () => {
    const { table, sender, held } = handlers();
    const refused = table.answer({ ...about, frame: new Uint8Array(100) }, sender);
    await expect(refused).rejects.toMatchObject({ code: 'run-not-admitted' });
    expect(held()).toBe(0);
  });
});
