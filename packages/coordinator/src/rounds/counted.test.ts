import { CoppiceError, defaultPlan, type Plan } from '@coppice/protocol';
import { describe, expect, it } from 'vitest';
import { Tickets } from '../exchanges/tickets.ts';
import { memoryStorage } from '../storage/memory.ts';
import { memorySpool } from '../storage/memory-spool.ts';
import { id, launch, leftIn, world } from './run-world.ts';

/* What participants are told of earlier answers, and of the end. */

type World = Awaited<ReturnType<typeof world>>;

const duplicate = { duplicate: true, next: null };

/** A run that is stored, as a launch leaves it. */
async function launched(plan: Partial<Plan>, participants: readonly number[] = [1, 2]) {
  const storage = memoryStorage();
  const spool = memorySpool();
  await launch(storage, plan);
  const w = await world(plan, { left: await leftIn(storage, spool) });
  for (const n of participants) w.join(n);
  await w.engine.act('start');
  return { w, storage, spool };
}

async function round(w: World, participants: readonly number[] = [1, 2]): Promise<void> {
  for (const n of participants) await w.answers(n, [1, 1, 1]);
  await w.settled();
}

const counted = (w: World, n: number, ...tickets: string[]) => w.engine.counted(id(n), tickets);

describe('whether an answer counted', () => {
  it('is open until its round is stored, and then as it was stored', async () => {
    const { w, storage } = await launched(
      { rounds: 9, overSelection: 1.5, minParticipants: 3, cohortSize: 2 },
      [1, 2, 3],
    );
    const tickets = [1, 2, 3].map((n) => w.ticketOf(id(n)));
    const asked = async () =>
      (await Promise.all([1, 2, 3].map((n) => counted(w, n, tickets[n - 1] as string)))).flat();
    expect(await asked()).toEqual([null, null, null]);
    const commit = storage.commit;
    let store = () => {};
    storage.commit = async (what) => {
      await new Promise<void>((go) => {
        store = go;
      });
      await commit(what);
    };
    const answers = [1, 2].map((n) => w.answerOf(id(n), [1, 1, 1]));
    for (const [at, answer] of answers.entries()) await w.engine.answer(id(at + 1), answer);
    await w.settled();
    // The exchange is closed, and its model not yet stored: nobody knows.
    expect(w.engine.summary().phase).toBe('commit');
    expect(await asked()).toEqual([null, null, null]);
    expect(await w.engine.answer(id(1), answers[0] as (typeof answers)[number])).toEqual(duplicate);
    store();
    await w.settled();
    expect(await asked()).toEqual([true, true, false]);
    const next = w.ticketOf(id(1));
    expect(await counted(w, 1, next, tickets[0] as string)).toEqual([null, true]);
  });

  it('is no where the round was abandoned, though the next attempt counts', async () => {
    const { w } = await launched({ rounds: 9, quorum: 1 });
    const first = w.ticketOf(id(1));
    await w.answers(1, [1, 1, 1]);
    w.engine.decline(id(2), { run: 'toy-1', ticket: w.ticketOf(id(2)), reason: 'paused' });
    await w.settled();
    expect(await counted(w, 1, first)).toEqual([false]);
    w.clock.advance(1000);
    const second = w.ticketOf(id(1));
    await round(w);
    expect(await counted(w, 1, first, second)).toEqual([false, true]);
  });

  it('is the same to the process after, and after a restart in the middle of a round', async () => {
    const { w, storage, spool } = await launched({ rounds: 9 });
    const first = w.ticketOf(id(1));
    await round(w);
    const second = w.ticketOf(id(1));
    await w.answers(1, [1, 1, 1]);
    w.engine.close();
    const after = await world({ rounds: 9 }, { left: await leftIn(storage, spool) });
    await after.engine.resumeAfterRestart();
    for (const n of [1, 2]) after.join(n);
    expect(await counted(after, 1, first, second)).toEqual([true, null]);
    await after.answers(2, [1, 1, 1]);
    await after.settled();
    expect(await counted(after, 1, first, second)).toEqual([true, true]);
  });

  it('is no for rounds that the model does not have behind it any more, until they are made again', async () => {
    const { w, storage, spool } = await launched({ rounds: 9 });
    const backup = await leftIn(storage, spool);
    const tickets: string[] = [];
    for (const _ of [1, 2]) {
      tickets.push(w.ticketOf(id(1)));
      await round(w);
    }
    expect(await counted(w, 1, ...tickets)).toEqual([true, true]);
    w.engine.close();
    // Storage is as it was before the first round; rounds that it still lists are not the model's.
    const earlier = await world(
      { rounds: 9 },
      { left: { ...backup, record: { ...backup.record, status: 'paused' } } },
    );
    await earlier.engine.resumeAfterRestart();
    earlier.join(1);
    expect(await counted(earlier, 1, ...tickets)).toEqual([false, false]);
  });

  it('is no for rounds of a lost timeline, and their answers are late, whatever the rounds made since are called', async () => {
    const { w, storage, spool } = await launched({ rounds: 9 });
    const lost: string[] = [];
    for (const _ of [1, 2, 3]) {
      lost.push(w.ticketOf(id(1)));
      await round(w);
    }
    expect(await counted(w, 1, ...lost)).toEqual([true, true, true]);
    const answer = { ...w.answerOf(id(1), [1, 1, 1]), ticket: lost[2] as string };
    w.engine.close();
    await storage.close();
    await spool.close();
    // The backup is from before the first round, which now makes another model.
    const since = await launched({ rounds: 9 });
    for (const n of [1, 2]) await since.w.answers(n, [2, 2, 2]);
    await since.w.settled();
    await round(since.w);
    // The first round began from the same model; the others did not.
    expect(await counted(since.w, 1, ...lost)).toEqual([true, false, false]);
    expect(since.w.lastAsk().message).toMatchObject({ round: 3, attempt: 1 });
    await expect(since.w.engine.answer(id(1), answer)).rejects.toMatchObject({ code: 'update-late' });
    await round(since.w);
    expect(await counted(since.w, 1, ...lost)).toEqual([true, false, false]);
  });

  it('is told to members only, and of their own tickets', async () => {
    const { w } = await launched({ rounds: 9 });
    const ticket = w.ticketOf(id(1));
    const code = (expected: string) => expect.objectContaining({ code: expected });
    await expect(counted(w, 9, ticket)).rejects.toEqual(code('not-joined'));
    await expect(counted(w, 2, ticket)).rejects.toEqual(code('ticket-invalid'));
    await expect(counted(w, 1, ticket, 'none')).rejects.toEqual(code('ticket-invalid'));
    const tickets = new Tickets('toy-1', String(defaultPlan.seed));
    expect(await counted(w, 1, tickets.issue('e3-1', id(1)))).toEqual([false]);
  });

  it('is yes for one that could not be kept once its round is stored, and it is known again', async () => {
    const { w, spool } = await launched({ rounds: 9 });
    const append = spool.append;
    let fail = () => {};
    await w.answers(1, [1, 1, 1]);
    spool.append = () =>
      new Promise((_, reject) => {
        fail = () => reject(new CoppiceError('storage-failed', 'The disk is full.'));
      });
    const answer = w.answerOf(id(2), [1, 1, 1]);
    const sent = w.engine.answer(id(2), answer).catch((error: CoppiceError) => error.code);
    fail();
    expect(await sent).toBe('storage-failed');
    await w.settled();
    spool.append = append;
    expect(w.rounds).toMatchObject([{ outcome: 'committed', accepted: 2 }]);
    expect(await w.engine.answer(id(2), answer)).toEqual(duplicate);
    expect(await counted(w, 2, answer.ticket)).toEqual([true]);
  });
});

it('what a round measured of the model before is durable with its own, whenever the process is killed', async () => {
  const { w, storage } = await launched({ rounds: 9 });
  await round(w);
  const { commit } = storage;
  storage.commit = async (what) => {
    await commit(what);
    // Killed here: nothing that follows is done.
    await new Promise(() => {});
  };
  storage.putMetrics = () => Promise.reject(new Error('nothing is stored after the commit'));
  await round(w);
  expect(await storage.checkpoint('toy-1/1')).toMatchObject({ federated: { examples: 8, accuracy: 0.25 } });
  expect((await storage.round('toy-1', 1, 1))?.federated).toMatchObject({ examples: 8 });
  expect(await storage.round('toy-1', 2, 1)).toMatchObject({ outcome: 'committed', federated: null });
});

describe('the end of a run', () => {
  const ends = (w: World) =>
    w.messages('run-end').map(({ to, message }) => [to.toSorted(), message.status, message.reason]);
  const all = [id(1), id(2)];

  it.each(['answered', 'time is up', 'nobody holds examples out'])(
    'is told once, after the closing evaluation (%s)',
    async (how) => {
      const plan = { rounds: 1, ...(how.startsWith('nobody') ? { evaluationShare: 0 } : {}) };
      const { w } = await launched(plan);
      await round(w);
      if (!how.startsWith('nobody')) {
        expect([ends(w), w.engine.isAtRest]).toEqual([[], false]);
        expect(w.asks('evaluate')).toHaveLength(2);
        await w.engine.answer(id(1), w.evaluationOf(id(1), { loss: 1, accuracy: 1, examples: 2 }));
        expect(ends(w)).toEqual([]);
        if (how === 'answered') {
          await w.engine.answer(id(2), w.evaluationOf(id(2), { loss: 3, accuracy: 0, examples: 2 }));
        } else w.clock.advance(3_600_000);
        await w.settled();
        expect(w.rounds.at(-1)?.federated).toMatchObject({ examples: how === 'answered' ? 4 : 2 });
      }
      expect(ends(w)).toEqual([[all, 'finished', null]]);
      expect(w.engine.isAtRest).toBe(true);
      w.clock.advance(3_600_000);
      await w.settled();
      expect(ends(w)).toHaveLength(1);
    },
  );

  it('is told once where an admin stops it, and not where it is paused or gives up', async () => {
    const { w } = await launched({ rounds: 5, quorum: 0.6 });
    await w.engine.act('pause');
    await w.engine.act('resume');
    for (let attempt = 1; attempt <= 5; attempt++) {
      for (const n of [1, 2])
        w.engine.decline(id(n), { run: 'toy-1', ticket: w.ticketOf(id(n)), reason: 'training-diverged' });
      await w.settled();
      w.clock.advance(30_000);
      await w.settled();
    }
    expect(w.engine.run()).toMatchObject({ status: 'paused', reason: { code: 'training-diverged' } });
    expect(ends(w)).toEqual([]);
    await w.engine.act('stop');
    await expect(w.engine.act('stop')).rejects.toMatchObject({ code: 'run-ended' });
    await w.settled();
    expect(ends(w)).toEqual([[all, 'stopped', null]]);
    // What it says last comes last.
    expect(w.sent.at(-1)?.name).toBe('run-end');
  });

  it('is at rest only when all of it is told and written down', async () => {
    const { w, storage } = await launched({ rounds: 2 });
    await round(w);
    await round(w);
    expect([w.engine.run().status, w.engine.isAtRest]).toEqual(['finished', false]);
    const putMetrics = storage.putMetrics;
    let store = () => {};
    storage.putMetrics = async (metrics) => {
      await new Promise<void>((go) => {
        store = go;
      });
      await putMetrics(metrics);
    };
    expect([w.asks('evaluate').length, w.engine.isAtRest]).toEqual([2, false]);
    await w.engine.answer(id(1), w.evaluationOf(id(1), { loss: 1, accuracy: 1, examples: 2 }));
    w.clock.advance(3_600_000);
    await w.settled();
    expect([ends(w).length, w.engine.isAtRest]).toEqual([0, false]);
    store();
    await w.settled();
    expect([ends(w).length, w.engine.isAtRest]).toEqual([1, true]);
  });

  it('is nothing that a process which ends begins', async () => {
    const { w, storage } = await launched({ rounds: 2 });
    await round(w);
    let store = () => {};
    storage.commit = () =>
      new Promise<void>((go) => {
        store = go;
      });
    await round(w);
    w.engine.close();
    store();
    await w.settled();
    expect(w.asks('evaluate')).toEqual([]);
    w.clock.advance(3_600_000);
    await w.settled();
    expect(ends(w)).toEqual([]);
  });
});
