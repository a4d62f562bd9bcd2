import { ExactAccumulator, payloadValues, takeSteps, toFloat32 } from '@coppice/federation';
import { ManualClock, seededRandom, shuffle, uniform } from '@coppice/ports';
import {
  type Answer,
  type Ask,
  CoppiceError,
  decodeFrame,
  defaultPlan,
  frameBytes,
  layoutHash,
  type Plan,
  readFloat32Payload,
  weightsHash,
} from '@coppice/protocol';
import { describe, expect, it } from 'vitest';
import { Tickets } from '../exchanges/tickets.ts';
import { id, layout, trainFrame, world } from './run-world.ts';

/** What was sent to one participant, in the order it came. */
const sentTo = (w: Awaited<ReturnType<typeof world>>, n: number) =>
  w.asks().flatMap(({ to, message }) => (to.includes(id(n)) ? [message] : []));

const modelIn = ({ parcels }: Ask) => parcels[0] as Ask['parcels'][number];
const counted = { duplicate: false, next: null };
const duplicate = { duplicate: true, next: null };
const code = (expected: string) => expect.objectContaining({ code: expected });

describe('a round', () => {
  it('begins when enough are there, commits their mean, and begins the next', async () => {
    const w = await world({ rounds: 2 });
    await w.engine.act('start');
    w.join(1);
    expect(w.asks()).toHaveLength(0);
    expect(w.engine.summary()).toMatchObject({ phase: 'waiting', participants: 1, needed: 2 });
    w.join(2);
    expect(w.asked().toSorted()).toEqual([id(1), id(2)]);
    await w.answers(1, [1, 0, 0], 1);
    await w.answers(2, [0, 3, 0], 3);
    await w.settled();
    expect((await w.storage.latest('toy-1'))?.weights).toEqual(new Float32Array([1.25, 4.25, 3]));
    expect(w.rounds[0]).toMatchObject({ round: 1, outcome: 'committed', accepted: 2, examples: 4 });
    expect(w.lastAsk().message.round).toBe(2);
    await w.answers(1, [0, 0, 0]);
    await w.answers(2, [0, 0, 0]);
    await w.settled();
    expect(w.engine.run()).toMatchObject({ status: 'finished', phase: 'idle', round: 2 });
  });

  it('gives the same bits as the same updates summed in a test, in any order', async () => {
    const random = seededRandom('bits');
    const cases = Array.from({ length: 20 }, (_, n) => ({
      n,
      examples: 1 + n * 7,
      values: [0, 1, 2].map(() => Math.fround((uniform(random) - 0.5) * 0.1)),
    }));
    const sum = new ExactAccumulator(3);
    for (const { values, examples } of cases) sum.add(Float32Array.from(values), examples);
    const expected = Float32Array.from([1, 2, 3], (w, i) => w + (sum.mean()[i] as number));
    for (const seed of [1, 2, 3]) {
      const w = await world({ rounds: 1 });
      for (const { n } of cases) w.join(n);
      await w.engine.act('start');
      for (const { n, values, examples } of shuffle([...cases], seededRandom('order', seed))) {
        await w.answers(n, values, examples);
      }
      await w.settled();
      expect(w.engine.run().checkpoint).toBe(weightsHash(expected));
    }
  });

  it('takes the first 100 % of 130 %, and tells the others that they are late', async () => {
    const w = await world({ cohortSize: 10, overSelection: 1.3 });
    for (let n = 0; n < 20; n++) w.join(n);
    await w.engine.act('start');
    const asked = w.asked();
    expect(asked).toHaveLength(13);
    const answer = (participant: string) => w.engine.answer(participant, w.answerOf(participant, [0, 0, 1]));
    for (const participant of asked.slice(0, 10)) await answer(participant);
    await expect(answer(asked[10] as string)).rejects.toEqual(code('update-late'));
    await w.settled();
    expect(w.rounds[0]).toMatchObject({ asked: 13, accepted: 10, outcome: 'committed' });
    const late = w.messages('round-end').find(({ message }) => message.you === 'late');
    expect(late?.to.toSorted()).toEqual(asked.slice(10).toSorted());
  });

  it('ends by timer with a quorum, without those who are silent', async () => {
    const w = await world({ quorum: 0.5, deadlineSeconds: 60, rounds: 1 });
    for (let n = 0; n < 4; n++) w.join(n);
    await w.engine.act('start');
    await w.answers(0, [1, 1, 1]);
    await w.answers(1, [1, 1, 1]);
    w.clock.advance(59_999);
    expect(w.engine.summary().phase).toBe('collect');
    w.clock.advance(1);
    await w.settled();
    expect(w.rounds[0]).toMatchObject({ outcome: 'committed', accepted: 2 });
  });

  it('asks nobody twice where it begins between a join and what follows it', async () => {
    const w = await world({ minParticipants: 2 });
    await w.engine.act('start');
    const about = {
      run: 'toy-1',
      device: 'headless',
      backend: 'cpu',
      examples: 5,
      speed: null,
      paused: false,
    } as const;
    // Both join before either's join is done with.
    for (const n of [1, 2]) w.engine.join(id(n), about);
    for (const n of [1, 2]) w.engine.afterJoin(id(n));
    const asked = () =>
      w
        .asks()
        .flatMap(({ to }) => to)
        .sort();
    expect(asked()).toEqual([id(1), id(2)]);
    // Who comes back to an open round is asked again.
    w.engine.connectionLost(id(2));
    w.join(2);
    expect(asked()).toEqual([id(1), id(2), id(2)]);
  });

  it('is abandoned without a quorum, leaves the model as it was, says why, and is tried again', async () => {
    const w = await world({ quorum: 0.75, deadlineSeconds: 60 });
    for (let n = 0; n < 4; n++) w.join(n);
    await w.engine.act('start');
    const before = w.engine.summary().checkpoint;
    await w.answers(0, [1, 1, 1]);
    w.clock.advance(60_000);
    await w.settled();
    expect(w.rounds[0]).toMatchObject({ outcome: 'abandoned', reason: { code: 'quorum-lost' } });
    expect(w.engine.summary().checkpoint).toBe(before);
    expect(w.asks()).toHaveLength(4);
    w.clock.advance(1000);
    expect(w.lastAsk().message).toMatchObject({ round: 1, attempt: 2 });
    expect((await w.storage.rounds('toy-1')).map((round) => round.attempt)).toEqual([1]);
  });

  it('is re-evaluated when someone leaves, and goes on without them', async () => {
    const w = await world({ rounds: 1 });
    for (let n = 0; n < 3; n++) w.join(n);
    await w.engine.act('start');
    await w.answers(0, [3, 0, 0]);
    await w.answers(1, [0, 3, 0]);
    w.engine.leave(id(2));
    await w.settled();
    expect(w.rounds[0]).toMatchObject({ outcome: 'committed', accepted: 2, asked: 3 });
  });

  it('waits for a lost connection as long as the grace, not longer', async () => {
    const w = await world({ rounds: 2, graceSeconds: 5, deadlineSeconds: 100 });
    for (let n = 0; n < 3; n++) w.join(n);
    await w.engine.act('start');
    w.engine.connectionLost(id(2));
    await w.answers(0, [0, 0, 0]);
    await w.answers(1, [0, 0, 0]);
    w.clock.advance(4_000);
    expect(w.engine.summary().phase).toBe('collect');
    // Back in time: the round is sent again and the update counts.
    w.join(2);
    expect(w.lastAsk()).toMatchObject({ to: [id(2)], message: { round: 1 } });
    await w.answers(2, [0, 0, 0]);
    await w.settled();
    expect(w.rounds[0]).toMatchObject({ accepted: 3, outcome: 'committed' });
    w.engine.connectionLost(id(2));
    await w.answers(0, [0, 0, 0]);
    await w.answers(1, [0, 0, 0]);
    w.clock.advance(5_000);
    await w.settled();
    expect(w.rounds.find((round) => round.round === 2)).toMatchObject({ accepted: 2, outcome: 'committed' });
  });

  it('gives up at once when the quorum is out of reach', async () => {
    const w = await world({ quorum: 1 });
    w.join(1);
    w.join(2);
    await w.engine.act('start');
    w.engine.decline(id(1), { run: 'toy-1', ticket: w.ticketOf(id(1)), reason: 'paused' });
    await w.settled();
    expect(w.rounds[0]).toMatchObject({ outcome: 'abandoned', reason: { code: 'quorum-lost' } });
  });

  it('measures the model on participants one round later, and the last one in closing', async () => {
    const w = await world({ rounds: 1 });
    w.join(1);
    w.join(2);
    await w.engine.act('start');
    await w.answers(1, [0, 0, 0], 1, { evaluation: { loss: 1, accuracy: 0, examples: 1 } });
    await w.answers(2, [0, 0, 0], 1, { evaluation: { loss: 2, accuracy: 1, examples: 3 } });
    await w.settled();
    const asks = w.asks('evaluate');
    expect(asks.flatMap(({ to }) => to).toSorted()).toEqual([id(1), id(2)]);
    const { checkpoint } = w.engine.summary();
    for (const { message } of asks)
      expect(message).toMatchObject({ round: 1, parcels: [{ name: 'model', hash: checkpoint }] });
    const measured = { 1: { loss: 4, accuracy: 0.5, examples: 2 }, 2: { loss: 0, accuracy: 1, examples: 6 } };
    for (const n of [1, 2] as const)
      expect(await w.engine.answer(id(n), w.evaluationOf(id(n), measured[n]))).toEqual(counted);
    await w.settled();
    expect((await w.storage.checkpoints('toy-1'))[0]?.federated).toEqual({
      loss: 1,
      accuracy: 0.875,
      examples: 8,
    });
    expect(w.rounds.at(-1)).toMatchObject({ round: 1, federated: { accuracy: 0.875 } });
  });

  it('tells medians that one participant cannot spoil, also after a crash and in another order', async () => {
    const losses = [0.5, 0.7, 0.6, 0.9, 1000];
    const plan = { rounds: 2, minParticipants: 5 };
    const sends = (w: Awaited<ReturnType<typeof world>>, n: number) =>
      w.answers(n, [0, 0, 0], 100, {
        loss: losses[n - 1] as number,
        evaluation: { loss: losses[n - 1] as number, accuracy: n / 10, examples: 10 },
      });
    const join = (w: Awaited<ReturnType<typeof world>>) => {
      for (let n = 1; n <= 5; n++) w.join(n);
    };
    const dies = await world(plan);
    const w = await world(plan);
    for (const one of [dies, w]) {
      join(one);
      await one.engine.act('start');
    }
    const expected = { lower: 0.6, median: 0.7, upper: 0.9, participants: 5 };
    // Nothing is told of fewer than five.
    for (const n of [5, 1, 4, 3]) await sends(dies, n);
    for (const n of [1, 3, 4, 5]) await sends(w, n);
    expect(w.engine.openRound()?.spread).toEqual({ trainingLoss: null, loss: null, accuracy: null });
    const after = await dies.restart();
    await after.engine.resumeAfterRestart();
    after.join(2);
    for (const one of [w, after]) {
      await sends(one, 2);
      await one.settled();
      expect(one.engine.run()).toMatchObject({ round: 1 });
      const [first] = one.rounds;
      expect(first?.spread).toEqual({ trainingLoss: expected, loss: null, accuracy: null });
      expect(first?.trainingLoss).toBeGreaterThan(200);
    }
    // The model of the round is measured in the next one.
    for (const n of [4, 2, 5, 1, 3]) await sends(w, n);
    await w.settled();
    const amended = w.rounds.findLast(({ round }) => round === 1);
    expect(amended?.federated?.loss).toBeGreaterThan(200);
    expect(amended?.spread?.trainingLoss).toEqual(expected);
    expect(amended?.spread?.loss).toEqual(expected);
    expect(amended?.spread?.accuracy).toEqual({
      lower: 0.2,
      median: 0.3,
      upper: 0.4,
      participants: 5,
    });
    // The last one is measured when the run is over.
    for (let n = 1; n <= 5; n++)
      await w.engine.answer(
        id(n),
        w.evaluationOf(id(n), { loss: losses[n - 1] as number, accuracy: 1, examples: 2 }),
      );
    await w.settled();
    // Sums of two examples, as they travel, are right to some bits.
    const last = w.rounds.findLast(({ round }) => round === 2);
    expect(last?.spread?.loss?.median).toBeCloseTo(0.7, 12);
    expect((await w.storage.rounds('toy-1')).at(-1)?.spread).toEqual(last?.spread);
  });

  it('asks nobody to measure where no examples are kept for it', async () => {
    const w = await world({ rounds: 1, evaluationShare: 0 });
    for (const n of [1, 2]) w.join(n);
    await w.engine.act('start');
    for (const n of [1, 2]) await w.answers(n, [0, 0, 0], 1, { evaluation: null });
    await w.settled();
    expect(w.engine.summary().status).toBe('finished');
    expect(w.asks('evaluate')).toEqual([]);
    expect(w.rounds.at(-1)).toMatchObject({ outcome: 'committed', federated: null });
  });
});

describe('an update is refused by name', () => {
  it('and the round goes on', async () => {
    const w = await world({ maxExamples: 100, quorum: 0.1 });
    for (let n = 0; n < 6; n++) w.join(n);
    await w.engine.act('start');
    const good = (n: number) => w.answerOf(id(n), [1, 1, 1]);
    const refused = (n: number, answer: Answer, expected: string) =>
      expect(w.engine.answer(id(n), answer), expected).rejects.toEqual(code(expected));
    const ofEvaluation = trainFrame(w.forms.layouts.evaluate, [], { weight: 1 });
    await refused(0, { ...good(0), frame: ofEvaluation }, 'update-shape');
    await refused(1, w.answerOf(id(1), [1, Number.NaN, 1]), 'update-not-finite');
    await refused(2, w.answerOf(id(2), [1e30, 1, 1]), 'update-norm');
    await refused(3, w.answerOf(id(3), [1, 1, 1], 101), 'update-examples');
    const tickets = new Tickets('toy-1', String(defaultPlan.seed));
    const named = (name: string) => ({ ...good(4), ticket: tickets.issue(name, id(4)) });
    for (const name of ['t0-1', 't1-0', 't1-1', 't1-1-00000000', 't1-2', 't7-1', 'e1-1'])
      await refused(4, named(name), 'update-late');
    await refused(4, { ...good(4), ticket: w.ticketOf(id(5)) }, 'ticket-invalid');
    await refused(4, { ...good(4), ticket: `${w.ticketOf(id(4))}x` }, 'ticket-invalid');
    await refused(4, { ...good(4), frame: new Uint8Array(7) }, 'frame-invalid');
    w.join(8);
    await refused(8, good(8), 'ticket-invalid');
    await refused(
      8,
      { ...good(8), ticket: tickets.issue(w.ticketOf(id(5)).split('.')[0] as string, id(8)) },
      'update-not-selected',
    );
    await refused(9, good(9), 'not-joined');
    expect(await w.engine.answer(id(4), good(4))).toEqual(counted);
    expect(await w.engine.answer(id(4), good(4))).toEqual(duplicate);
    await w.engine.answer(id(5), good(5));
    await w.settled();
    expect(w.rounds[0]).toMatchObject({ outcome: 'committed', accepted: 2, examples: 2 });
    expect((await w.storage.latest('toy-1'))?.weights).toEqual(new Float32Array([2, 3, 4]));
  });

  it('after the round has closed, as late', async () => {
    const w = await world({ cohortSize: 1, overSelection: 2, minParticipants: 2, rounds: 1 });
    w.join(1);
    w.join(2);
    await w.engine.act('start');
    const [a, b] = w.asked() as [string, string];
    const answer = (participant: string) => w.engine.answer(participant, w.answerOf(participant, [0, 0, 0]));
    await answer(a);
    await w.settled();
    await expect(answer(b)).rejects.toEqual(code('update-late'));
  });
});

describe('a run', () => {
  it('pauses after the open round, goes on, and stops without losing the model', async () => {
    const w = await world({ rounds: 5 });
    w.join(1);
    w.join(2);
    await w.engine.act('start');
    await w.engine.act('pause');
    await w.answers(1, [1, 1, 1]);
    await w.answers(2, [1, 1, 1]);
    await w.settled();
    expect(w.engine.run()).toMatchObject({ status: 'paused', phase: 'idle', round: 1 });
    await w.engine.act('resume');
    expect(w.lastAsk().message.round).toBe(2);
    await w.engine.act('stop');
    await w.settled();
    expect(w.engine.run()).toMatchObject({ status: 'stopped', phase: 'idle', round: 1 });
    await expect(w.engine.act('resume')).rejects.toEqual(code('run-ended'));
    expect(() => w.join(3)).toThrow(code('run-ended'));
  });

  it('names what is not possible', async () => {
    const w = await world();
    await expect(w.engine.act('pause')).rejects.toEqual(code('run-state'));
    await expect(w.engine.act('end-round')).rejects.toEqual(code('run-state'));
  });

  it('ends early at its target accuracy', async () => {
    const w = await world({ rounds: 50, targetAccuracy: 0.5 });
    w.join(1);
    w.join(2);
    await w.engine.act('start');
    for (const n of [1, 2]) await w.answers(n, [0, 0, 0]);
    await w.settled();
    expect(w.engine.run()).toMatchObject({ status: 'finished', round: 1 });
  });

  it('does not commit a model whose loss is not a number', async () => {
    const w = await world(
      {},
      { evaluate: () => Promise.resolve({ loss: null, accuracy: 0.1, examples: 1 }) },
    );
    w.join(1);
    w.join(2);
    await w.engine.act('start');
    for (const n of [1, 2]) await w.answers(n, [1, 1, 1]);
    await w.settled();
    expect(w.rounds[0]).toMatchObject({ outcome: 'abandoned', reason: { code: 'training-diverged' } });
    expect(w.engine.summary().round).toBe(0);
  });

  it('survives a storage that refuses: the round is abandoned and tried again', async () => {
    const w = await world({ rounds: 1 });
    const commit = w.storage.commit.bind(w.storage);
    let refusals = 1;
    w.storage.commit = (what) =>
      refusals-- > 0 ? Promise.reject(new CoppiceError('storage-failed', 'The disk is full.')) : commit(what);
    w.join(1);
    w.join(2);
    await w.engine.act('start');
    for (const n of [1, 2]) await w.answers(n, [1, 1, 1]);
    await w.settled();
    expect(w.rounds[0]).toMatchObject({ outcome: 'abandoned', reason: { code: 'storage-failed' } });
    w.clock.advance(1000);
    for (const n of [1, 2]) await w.answers(n, [1, 1, 1]);
    await w.settled();
    expect(w.engine.run()).toMatchObject({ status: 'finished', round: 1 });
  });

  it('lets people join and leave while a round is open', async () => {
    const w = await world({ rounds: 2 });
    w.join(1);
    w.join(2);
    await w.engine.act('start');
    w.join(3);
    expect(w.asked()).toHaveLength(2);
    for (const n of [1, 2]) await w.answers(n, [0, 0, 0]);
    await w.settled();
    expect(w.asked().toSorted()).toEqual([id(1), id(2), id(3)]);
  });

  it('does not select the paused or those without examples', async () => {
    const w = await world();
    w.join(1);
    w.join(2);
    w.join(3);
    w.engine.join(id(4), {
      run: 'toy-1',
      device: 'browser',
      backend: 'cpu',
      examples: 0,
      speed: null,
      paused: false,
    });
    w.engine.availability(id(3), { run: 'toy-1', paused: true, examples: 5 });
    await w.engine.act('start');
    expect(w.asked().toSorted()).toEqual([id(1), id(2)]);
  });

  it('abandons a round whose update could not be kept on disk, and the sender hears why', async () => {
    const w = await world({ rounds: 1 });
    const append = w.spool.append.bind(w.spool);
    let refusals = 1;
    w.spool.append = (run, update) =>
      refusals-- > 0
        ? Promise.reject(new CoppiceError('storage-failed', 'The disk is full.'))
        : append(run, update);
    w.join(1);
    w.join(2);
    await w.engine.act('start');
    await expect(w.answers(1, [1, 1, 1])).rejects.toEqual(code('storage-failed'));
    await w.settled();
    expect(w.rounds[0]).toMatchObject({ outcome: 'abandoned', reason: { code: 'storage-failed' } });
    w.clock.advance(1000);
    for (const n of [1, 2]) await w.answers(n, [1, 1, 1]);
    await w.settled();
    expect((await w.storage.latest('toy-1'))?.weights).toEqual(new Float32Array([2, 3, 4]));
  });

  it('acknowledges nothing before it is on disk: neither the update nor its copy', async () => {
    const w = await world();
    let onDisk = () => {};
    w.spool.append = () => new Promise((resolve) => (onDisk = resolve));
    w.join(1);
    w.join(2);
    await w.engine.act('start');
    const answers: string[] = [];
    const sent = [1, 2].map((copy) =>
      w
        .answers(1, [1, 1, 1])
        .then(({ duplicate }) => answers.push(`${copy} ${duplicate ? 'duplicate' : 'counted'}`)),
    );
    await w.settled();
    expect(answers).toEqual([]);
    onDisk();
    await Promise.all(sent);
    expect(answers.toSorted()).toEqual(['1 counted', '2 duplicate']);
  });

  it('knows a counted update again after its round was committed', async () => {
    const w = await world({ rounds: 2 });
    w.join(1);
    w.join(2);
    await w.engine.act('start');
    const answer = w.answerOf(id(1), [1, 1, 1]);
    await w.engine.answer(id(1), answer);
    await w.answers(2, [1, 1, 1]);
    await w.settled();
    expect(w.lastAsk().message.round).toBe(2);
    expect(await w.engine.answer(id(1), answer)).toEqual(duplicate);
  });
});

describe('a run that another process left', () => {
  const started = async (plan: Partial<Plan> = {}) => {
    const w = await world({ rounds: 2, minParticipants: 3, ...plan });
    for (const n of [1, 2, 3]) w.join(n);
    await w.engine.act('start');
    return w;
  };

  it.each([-86_400_000, 86_400_000])(
    'gives it what was left of its time, or half a minute, though the date was set by %s ms meanwhile',
    async (milliseconds) => {
      const w = await started({ deadlineSeconds: 100 });
      await w.answers(1, [1, 0, -1]);
      const after = await w.restart({ clock: new ManualClock(w.clock.now() + milliseconds) });
      await after.engine.resumeAfterRestart();
      for (const n of [1, 2, 3]) after.join(n);
      // Back: as if it had just begun. Forth: as if its time were up, but for those who have to come back.
      const left = milliseconds < 0 ? 100_000 : 30_000;
      expect(after.lastAsk().message.remaining).toBe(left);
      after.clock.advance(left - 1);
      expect(after.engine.summary().phase).toBe('collect');
      after.clock.advance(1);
      await after.settled();
      expect(after.rounds).toMatchObject([{ outcome: 'abandoned', reason: { code: 'quorum-lost' } }]);
    },
  );

  it.each([0, 1, 2])('goes on with its open round, %i updates of which were here', async (delivered) => {
    const w = await started();
    const updates = new Map([1, 2, 3].map((n) => [n, w.answerOf(id(n), [n, 0, -n], n)]));
    for (let n = 1; n <= delivered; n++) await w.engine.answer(id(n), updates.get(n) as Answer);
    const after = await w.restart();
    await after.engine.resumeAfterRestart();
    expect(after.engine.openRound()).toMatchObject({ round: 1, attempt: 1, accepted: delivered });
    expect(after.engine.summary().phase).toBe('collect');
    for (const n of [1, 2, 3]) after.join(n);
    // Only those who have not delivered are asked, and a delivered update is known again.
    expect(
      after
        .asks()
        .flatMap(({ to }) => to)
        .toSorted(),
    ).toEqual([1, 2, 3].filter((n) => n > delivered).map(id));
    for (const n of [1, 2, 3]) {
      const receipt = await after.engine.answer(id(n), updates.get(n) as Answer);
      expect(receipt).toEqual(n <= delivered ? duplicate : counted);
    }
    await after.settled();

    const undisturbed = await started();
    for (const n of [3, 1, 2]) await undisturbed.engine.answer(id(n), updates.get(n) as Answer);
    await undisturbed.settled();
    expect(after.engine.summary()).toMatchObject({ round: 1 });
    expect(after.engine.summary().checkpoint).toBe(undisturbed.engine.summary().checkpoint);
  });

  it('commits at once when all updates were here', async () => {
    const w = await started();
    // The process ends between the last update and the commit.
    w.storage.commit = () => new Promise(() => {});
    for (const n of [1, 2, 3]) await w.answers(n, [n, 0, -n], n);
    await w.settled();
    const after = await w.restart();
    await after.engine.resumeAfterRestart();
    await after.settled();
    expect(after.engine.summary()).toMatchObject({ round: 1 });
    expect(after.rounds[0]).toMatchObject({ outcome: 'committed', accepted: 3 });
  });

  it('gives those who were at work half a minute to come back, then goes on without them', async () => {
    const w = await started({ quorum: 0.5 });
    for (const n of [1, 2]) await w.answers(n, [1, 0, 0]);
    const after = await w.restart();
    await after.engine.resumeAfterRestart();
    after.clock.advance(29_999);
    expect(after.engine.summary().phase).toBe('collect');
    after.clock.advance(1);
    await after.settled();
    expect(after.rounds[0]).toMatchObject({ outcome: 'committed', accepted: 2 });
  });

  it('lets the open round of a paused run end', async () => {
    const w = await started();
    await w.answers(1, [1, 0, 0]);
    await w.engine.act('pause');
    const after = await w.restart();
    await after.engine.resumeAfterRestart();
    expect(after.engine.summary()).toMatchObject({ status: 'paused', phase: 'collect' });
  });

  it('forgets an open round that began from another model', async () => {
    const w = await started();
    await w.answers(1, [1, 0, 0]);
    const after = await w.restart({ weights: new Float32Array([9, 9, 9]) });
    await after.engine.resumeAfterRestart();
    expect(after.engine.openRound()).toBeNull();
    expect(await after.spool.recover('toy-1')).toBeNull();
  });

  it('names an update that rotted on disk, and asks its sender again', async () => {
    const w = await started();
    const answer = w.answerOf(id(1), [1, 0, 0]);
    await w.engine.answer(id(1), answer);
    const rotten = new Uint8Array(answer.frame as Uint8Array);
    rotten[45] = (rotten[45] as number) ^ 1;
    w.spool.recover = async () => ({
      opening: {
        run: 'toy-1',
        round: 1,
        attempt: 1,
        parent: w.engine.summary().checkpoint,
        sizes: { asked: 3, target: 3, quorum: 2 },
        startedAt: 0,
        deadlineAt: 0,
        cohort: [1, 2, 3].map(id),
        beyond: [],
        owed: [],
        joined: 3,
        weightCaps: [1, 1, 1],
        normBounds: null,
      },
      damage: null,
      async *answers() {
        yield { participant: id(1), answer: { ...answer, frame: rotten } };
        yield { participant: id(2), answer };
      },
    });
    const after = await w.restart();
    await after.engine.resumeAfterRestart();
    expect(after.events).toContain('spool-damaged');
    expect(after.engine.openRound()).toMatchObject({ accepted: 1 });
    after.join(1);
    expect(after.lastAsk().to).toEqual([id(1)]);
  });
});

describe('a model that travels in steps', () => {
  const plan = { rounds: 9, downloadCodec: 'int8', downloadForm: 'steps' } as const;
  const expected = { layoutHash: layoutHash(layout), parameters: 3 };
  const whole = (ask: Ask) =>
    readFloat32Payload(decodeFrame(frameBytes(modelIn(ask).frame), { kind: 'weights', ...expected }));
  const steps = (ask: Ask) =>
    decodeFrame(frameBytes(modelIn(ask).frame), { kind: 'steps', codec: 'int8', ...expected }).payload;

  it('comes whole to who has none or keeps none, and as steps to who has one', async () => {
    const w = await world({ ...plan, minParticipants: 3 });
    w.join(1, null);
    w.join(2);
    // Of a model that nobody here knows.
    w.join(3, 'f'.repeat(64));
    await w.engine.act('start');
    for (const n of [1, 2, 3]) expect([...whole(sentTo(w, n)[0] as Ask)]).toEqual([1, 2, 3]);
    for (const n of [1, 2, 3]) await w.answers(n, [0.1 * n, -0.3, 1e-3]);
    await w.settled();
    const [first, second] = sentTo(w, 1) as [Ask, Ask];
    expect(second).toMatchObject({ round: 2, parcels: [{ name: 'model', base: modelIn(first).hash }] });
    expect(sentTo(w, 3)[1]?.parcels).toEqual(second.parcels);
    expect(modelIn(sentTo(w, 2)[1] as Ask)).not.toHaveProperty('base');
    // The same model, to the bit, whichever way it came, and the one that is stored; near the exact mean.
    const weights = takeSteps('int8', steps(second), whole(first), layout);
    expect(whole(sentTo(w, 2)[1] as Ask)).toEqual(weights);
    expect(weightsHash(weights)).toBe(modelIn(second).hash);
    expect((await w.storage.latest('toy-1'))?.weights).toEqual(weights);
    for (const [i, exact] of [1.2, 1.7, 3.001].entries())
      expect(Math.abs((weights[i] as number) - exact)).toBeLessThan(0.3 / 127 + 1e-6);
  });

  it('is made of the same bits by a coordinator that counts again after a crash', async () => {
    const w = await world({ ...plan, minParticipants: 2 });
    w.join(1, null);
    w.join(2, null);
    await w.engine.act('start');
    await w.answers(1, [0.123, 0.456, -0.789], 3);
    const second = w.answerOf(id(2), [-1, 1e-4, 0.3], 5);
    const again = await w.restart();
    await again.engine.resumeAfterRestart();
    await w.engine.answer(id(2), second);
    await w.settled();
    again.join(2, null);
    await again.engine.answer(id(2), second);
    await again.settled();
    expect(again.engine.run()).toMatchObject({ round: 1, checkpoint: w.engine.run().checkpoint });
  });

  it('comes without bytes to who has it already, and whole to who asks without one', async () => {
    const w = await world({ ...plan, minParticipants: 1 });
    w.join(1, null);
    await w.engine.act('start');
    const checkpoint = modelIn(w.lastAsk().message).hash;
    // The connection breaks; after it the participant says what it has.
    w.engine.connectionLost(id(1));
    w.join(1, checkpoint);
    expect(steps(w.lastAsk().message)).toHaveLength(0);
    expect(modelIn(w.lastAsk().message).base).toBe(checkpoint);
    expect(w.engine.currentModel(id(1), checkpoint)).toMatchObject({ base: checkpoint });
    expect(w.engine.currentModel(id(1), null)).not.toHaveProperty('base');
  });
});

it('a model that travels whole does so again to who came back', async () => {
  for (const downloadCodec of ['float32', 'int4'] as const) {
    const w = await world({ minParticipants: 1, downloadCodec });
    w.join(1, null);
    await w.engine.act('start');
    const first = w.lastAsk().message;
    w.engine.connectionLost(id(1));
    w.join(1, modelIn(first).hash);
    expect(w.asks()).toHaveLength(2);
    expect(w.lastAsk().message).toEqual(first);
    expect(w.engine.currentModel(id(1), modelIn(first).hash)).not.toHaveProperty('base');
  }
});

it('a model that is rounded for training is the same for all of a round, and kept and pulled as it is', async () => {
  const plan = { rounds: 3, downloadCodec: 'int8', minParticipants: 2 } as const;
  const w = await world(plan);
  w.join(1, null);
  w.join(2);
  await w.engine.act('start');
  const [first] = sentTo(w, 1) as [Ask];
  expect(sentTo(w, 2)[0]?.parcels).toEqual(first.parcels);
  const expected = { kind: 'weights', layoutHash: layoutHash(layout), parameters: 3 } as const;
  const frame = decodeFrame(frameBytes(modelIn(first).frame), { ...expected, codec: 'int8' });
  const rounded = toFloat32(payloadValues(frame, layout));
  // One scale for all: 3 is exact, the others are off by a step at most.
  for (const [i, exact] of [1, 2, 3].entries())
    expect(Math.abs((rounded[i] as number) - exact)).toBeLessThanOrEqual(3 / 127 + 1e-6);
  const again = await w.restart();
  await again.engine.resumeAfterRestart();
  again.join(1, null);
  expect(sentTo(again, 1)[0]?.parcels).toEqual(first.parcels);
  const pulled = w.engine.currentModel(id(1), null);
  expect([...readFloat32Payload(decodeFrame(frameBytes(pulled.frame), expected))]).toEqual([1, 2, 3]);
  for (const n of [1, 2]) await w.answers(n, [1, 1, 1]);
  await w.settled();
  expect((await w.storage.latest('toy-1'))?.weights).toEqual(new Float32Array([2, 3, 4]));
});
