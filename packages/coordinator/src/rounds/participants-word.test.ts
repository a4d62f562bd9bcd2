import { type Answer, CoppiceError, defaultPlan, type ErrorCode, type Plan } from '@coppice/protocol';
import { expect, it } from 'vitest';
import { Tickets, trainName } from '../exchanges/tickets.ts';
import { memoryStorage } from '../storage/memory.ts';
import { memorySpool } from '../storage/memory-spool.ts';
import { id, launch, leftIn, world } from './run-world.ts';

/* No message of participants ends a run, and only those that are asked and owe an answer are counted. */

type World = Awaited<ReturnType<typeof world>>;

async function started(plan: Partial<Plan>, participants: readonly number[]): Promise<World> {
  const w = await world(plan);
  for (const n of participants) w.join(n);
  await w.engine.act('start');
  return w;
}

/** A ticket of the open round, asked or not: nobody else can make one. */
function ticketOf(w: World, n: number): string {
  const { round, attempt, parcels } = w.lastAsk().message;
  const name = trainName({ round, attempt, parent: parcels[0]?.hash ?? '' });
  return new Tickets('toy-1', String(defaultPlan.seed)).issue(name, id(n));
}

function declines(w: World, n: number, reason: ErrorCode | 'paused' | 'dropout' = 'training-diverged'): void {
  w.engine.decline(id(n), { run: 'toy-1', ticket: ticketOf(w, n), reason });
}

/** An update that may be refused; the code, or `counted`. */
async function sends(
  w: World,
  n: number,
  answer: Answer = { ...w.answerOf(id(n), [1, 1, 1]), ticket: ticketOf(w, n) },
): Promise<string> {
  return w.engine.answer(id(n), answer).then(
    ({ duplicate }) => (duplicate ? 'duplicate' : 'counted'),
    (thrown: unknown) => CoppiceError.from(thrown).code,
  );
}

const count = (w: World, kind: string) => w.events.filter((event) => event === kind).length;

const failures: readonly [string, Partial<Plan>, (w: World) => Promise<unknown>][] = [
  ['an update that is not finite', {}, (w) => sends(w, 1, w.answerOf(id(1), [Number.NaN, 1, 1]))],
  ['a too long update', { clipNorm: 2 }, (w) => sends(w, 1, w.answerOf(id(1), [3, 3, 3]))],
  ['an update out of range', { maxNorm: null }, (w) => sends(w, 1, w.answerOf(id(1), [1e30, 1, 1]))],
  ['a decline', {}, async (w) => declines(w, 1)],
];

it.each(failures)('%s, first and in each attempt, does not stop the others', async (_, plan, fail) => {
  const w = await started({ rounds: 1, minParticipants: 3, quorum: 1, ...plan }, [1, 2, 3, 4]);
  for (let attempt = 1; attempt <= 7; attempt++) {
    expect(w.lastAsk().message.attempt).toBe(attempt);
    await fail(w);
    await w.settled();
    for (const n of [2, 3, 4]) await sends(w, n);
    await w.settled();
    expect(w.rounds.at(-1)).toMatchObject({ outcome: 'abandoned', reason: { code: 'quorum-lost' } });
    w.clock.advance(30_000);
  }
  expect(w.engine.run()).toMatchObject({ status: 'running', reason: null });
  w.engine.putOut(id(1), new CoppiceError('participant-banned', 'Banned.'));
  await w.settled();
  w.clock.advance(30_000);
  for (const n of [2, 3, 4]) expect(await sends(w, n)).toBe('counted');
  await w.settled();
  expect(w.engine.run()).toMatchObject({ status: 'finished', round: 1 });
  expect(w.rounds.at(-1)).toMatchObject({ outcome: 'committed', accepted: 3 });
});

it('nothing that a member outside the cohort sends is counted or logged', async () => {
  const plan = { cohortSize: 3, minParticipants: 3, quorum: 0.6, deadlineSeconds: 60 };
  const w = await started(plan, [1, 2, 3, 4]);
  const asked = w.asked();
  const outside = [1, 2, 3, 4].find((n) => !asked.includes(id(n))) as number;
  for (let attempt = 1; attempt <= 5; attempt++) {
    const before = [...w.events];
    for (let n = 0; n < 400; n++) declines(w, outside);
    for (let n = 0; n < 50; n++) expect(await sends(w, outside)).toBe('update-not-selected');
    expect(w.events).toEqual(before);
    expect(w.engine.openRound()).toMatchObject({ refused: 0, asked: 3 });
    expect(w.engine.participants([id(outside)])[0]?.lastError).toBeNull();
    // An ordinary round without its quorum.
    w.clock.advance(60_000);
    await w.settled();
    expect(w.rounds.at(-1)).toMatchObject({ outcome: 'abandoned', reason: { code: 'quorum-lost' } });
    // The cohort is drawn anew, so the same one stays away.
    w.engine.availability(id(outside), { run: 'toy-1', paused: true, examples: 5 });
    w.clock.advance(30_000);
  }
  expect(w.engine.run()).toMatchObject({ status: 'running', reason: null });
});

it('a member is counted and logged once an attempt, however often it fails', async () => {
  const w = await started({ minParticipants: 3, quorum: 0.5 }, [1, 2, 3]);
  const damaged = { ...w.answerOf(id(1), [1, 1, 1]), frame: new Uint8Array(7) };
  for (let times = 0; times < 9; times++) expect(await sends(w, 1, damaged)).toBe('frame-invalid');
  for (let times = 0; times < 9; times++) declines(w, 2);
  expect(count(w, 'update-refused')).toBe(1);
  expect(count(w, 'update-declined')).toBe(1);
  expect(w.engine.openRound()).toMatchObject({ refused: 1 });
  // A damaged frame may be sent again, and counts; after it nothing is said of its sender.
  expect(await sends(w, 1)).toBe('counted');
  declines(w, 1);
  expect(await sends(w, 3)).toBe('counted');
  await w.settled();
  expect(w.rounds[0]).toMatchObject({ outcome: 'committed', accepted: 2, refused: 1 });
  expect(count(w, 'update-declined')).toBe(1);
});

it('an update of a round that is over is answered, and counted in no other', async () => {
  const w = await started({ minParticipants: 2, rounds: 3 }, [1, 2]);
  const tickets = new Tickets('toy-1', String(defaultPlan.seed));
  const named = (n: number, name: string) => ({
    ...w.answerOf(id(n), [1, 1, 1]),
    ticket: tickets.issue(name, id(n)),
  });
  for (const n of [1, 2]) expect(await sends(w, n)).toBe('counted');
  await w.settled();
  w.join(3);
  expect(await sends(w, 3, named(3, 't1-1-00000000'))).toBe('update-late');
  expect(await sends(w, 3, named(1, 't1-1-00000000'))).toBe('ticket-invalid');
  expect(await sends(w, 1, named(1, 't2-2-00000000'))).toBe('update-late');
  expect(await sends(w, 1, named(1, 't3-1-00000000'))).toBe('update-late');
  expect(await sends(w, 9, named(9, 't1-1-00000000'))).toBe('not-joined');
  expect(count(w, 'update-refused')).toBe(0);
  expect(w.engine.openRound()).toMatchObject({ round: 2, refused: 0 });
});

it('most of the cohort at the worst pauses the run, with the reason, until it is resumed', async () => {
  const storage = memoryStorage();
  const plan = { minParticipants: 1, quorum: 0.6, rounds: 1 };
  await launch(storage, plan);
  const w = await world(plan, { left: await leftIn(storage, memorySpool()) });
  for (const n of [1, 2, 3]) w.join(n);
  await w.engine.act('start');
  const fakes = async () => {
    for (const n of [1, 2]) declines(w, n);
    await sends(w, 3);
    await w.settled();
  };
  const five = async () => {
    for (let attempt = 1; attempt <= 5; attempt++) {
      expect(w.engine.run()).toMatchObject({ status: 'running', reason: null });
      await fakes();
      w.clock.advance(30_000);
      await w.settled();
    }
  };
  await five();
  const reason = { code: 'training-diverged', facts: { on: 'devices', diverged: 2, asked: 3 } };
  const paused = { status: 'paused', reason, round: 0, phase: 'idle' };
  expect(w.engine.run()).toMatchObject(paused);
  expect(w.rounds.at(-1)).toMatchObject({ outcome: 'abandoned', reason });
  expect(w.messages('round-end').at(-1)?.message.reason).not.toHaveProperty('facts');
  expect(count(w, 'run-paused')).toBe(1);
  expect(await storage.runs()).toMatchObject([{ status: 'paused', reason }]);
  // Time alone begins no round; another process finds the run as it is.
  const starts = w.asks().length;
  w.clock.advance(3_600_000);
  expect(w.asks()).toHaveLength(starts);
  const other = await world(plan, { left: await leftIn(storage, memorySpool()) });
  await other.engine.resumeAfterRestart();
  expect(other.engine.run()).toMatchObject(paused);

  await w.engine.act('resume');
  expect((await storage.runs())[0]).toMatchObject({ status: 'running', reason: null });
  // The five are counted anew.
  await five();
  expect(w.engine.run()).toMatchObject(paused);
  for (const n of [1, 2]) w.engine.putOut(id(n), new CoppiceError('participant-banned', 'Banned.'));
  await w.engine.act('resume');
  await sends(w, 3);
  await w.settled();
  expect(w.engine.run()).toMatchObject({ status: 'finished', round: 1 });
});

it('a round that cannot meet its quorum hears those at work before it is called diverged', async () => {
  const w = await started({ minParticipants: 3, quorum: 1, deadlineSeconds: 60 }, [1, 2, 3, 4]);
  for (const n of [1, 2, 3]) declines(w, n);
  await w.settled();
  expect(w.engine.summary().phase).toBe('collect');
  w.clock.advance(59_999);
  expect(w.engine.summary().phase).toBe('collect');
  w.clock.advance(1);
  await w.settled();
  expect(w.rounds).toMatchObject([{ outcome: 'abandoned', reason: { code: 'training-diverged' } }]);
  w.clock.advance(30_000);
  // Where no divergence is possible any more, it does not wait.
  declines(w, 1);
  for (const n of [2, 3]) await sends(w, n);
  await w.settled();
  expect(w.rounds).toHaveLength(2);
  expect(w.rounds[1]).toMatchObject({ outcome: 'abandoned', reason: { code: 'quorum-lost' } });
});

it('declines that are no failures never pause a run', async () => {
  const w = await started({ minParticipants: 2 }, [1, 2]);
  for (let attempt = 1; attempt <= 9; attempt++) {
    for (const n of [1, 2]) declines(w, n, n === 1 ? 'dropout' : 'backend-lost');
    await w.settled();
    w.clock.advance(30_000);
  }
  expect(w.engine.run()).toMatchObject({ status: 'running', reason: null });
});

it('models that are not finite pause the run, and a pause that cannot be stored is tried again', async () => {
  const evaluate = () => Promise.resolve({ loss: null, accuracy: null, examples: 1 });
  const w = await world({ minParticipants: 1 }, { evaluate });
  w.join(1);
  await w.engine.act('start');
  const putRun = w.storage.putRun;
  w.storage.putRun = () => Promise.reject(new CoppiceError('storage-failed', 'The disk is full.'));
  const round = async () => {
    expect(await sends(w, 1)).toBe('counted');
    await w.settled();
    w.clock.advance(30_000);
    await w.settled();
  };
  for (let attempt = 1; attempt <= 5; attempt++) await round();
  expect(w.engine.run()).toMatchObject({ status: 'running', reason: null });
  expect(count(w, 'storage-failed')).toBe(1);
  w.storage.putRun = putRun;
  await round();
  expect(w.engine.run()).toMatchObject({ status: 'paused', reason: { code: 'training-diverged' } });
});
