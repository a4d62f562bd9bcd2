import {
  type Contribution,
  ExactSum,
  encodeValues,
  finish,
  type PartialContributions,
  type PartialSum,
  STEP_PARAMETERS,
} from '@coppice/federation';
import { integerBelow, ManualClock, type RandomSource, seededRandom, shuffle, uniform } from '@coppice/ports';
import {
  type Answer,
  type Codec,
  CoppiceError,
  defaultPlan,
  float32Payload,
  frameBytes,
  type Layout,
  pieceCount,
  pieceOf,
} from '@coppice/protocol';
import { describe, expect, it } from 'vitest';
import { letGo } from '../realtime/let-go.ts';
import { runForms } from '../rounds/run-forms.ts';
import { task, trainFrame } from '../rounds/run-world.ts';
import { memorySpool } from '../storage/memory-spool.ts';
import type { Spool } from '../storage/spool.ts';
import { openingOf } from '../storage/spool-contract.ts';
import { type Closed, Exchange } from './exchange.ts';

const GRACE = 5_000;
const DEADLINE = 60_000;
/** More than is looked at in one turn of the event loop. */
const LARGE = 2 * STEP_PARAMETERS + 100;

interface Setting {
  readonly members?: readonly string[] | 'anyone';
  readonly dueAfter?: number | null;
  readonly target?: number;
  readonly quorum?: number;
  readonly parameters?: number;
  readonly codec?: Codec;
  readonly begin?: 'asked' | 'away';
  readonly normBounds?: Readonly<Record<string, number>> | null;
  readonly cap?: number;
  readonly durable?: boolean;
  readonly spool?: Pick<Spool, 'append' | 'receive'>;
}

const counted = { duplicate: false, next: null };
const duplicate = { duplicate: true, next: null };
const code = (expected: string) => expect.objectContaining({ code: expected });
const turn = () => new Promise(setImmediate);

/** An exchange by itself: time stands still, and all that its listener hears is kept. */
function world({
  members = ['a', 'b', 'c', 'd'],
  dueAfter = DEADLINE,
  target = members.length,
  quorum = 2,
  parameters = 3,
  codec = 'float32',
  begin = 'asked',
  normBounds = null,
  cap = 1000,
  durable = true,
  spool,
}: Setting = {}) {
  const layout: Layout = [{ name: 'w', shape: [parameters], trainable: true }];
  const plan = { ...defaultPlan, uploadCodec: codec, maxExamples: 1000 };
  const { train: form, layouts, limits } = runForms(layout, task, plan);
  const clock = new ManualClock(1000);
  const memory = memorySpool();
  memory.open(openingOf('toy-1'));
  const closed: Closed[] = [];
  const heard: string[] = [];
  const sum = new ExactSum(form.sections);
  const exchange = new Exchange({
    owner: 'toy-1',
    name: 't1-1',
    title: 'round 1',
    cohort: members,
    wanted: { target, quorum },
    begin,
    bytes: () => ({ up: 0, down: 0 }),
    beganAt: clock.elapsed(),
    dueAt: dueAfter === null ? null : clock.elapsed() + dueAfter,
    grace: GRACE,
    form,
    sum,
    limits: limits(normBounds),
    weightCap: () => cap,
    spool: spool ?? memory,
    durable,
    clock,
    listener: {
      changed: () => {},
      counted: (participant) => void heard.push(`${participant} counted`),
      refused: (participant, error, again) =>
        void heard.push(`${participant} ${error.code}${again ? ' again' : ''}`),
      closed: (how) => void closed.push(how),
    },
  });
  const answerOf = (values: Float32Array, weight = 1): Answer => {
    const change = codec === 'float32' ? float32Payload(values) : encodeValues(codec, values, layout, 7);
    const frame = trainFrame(layouts.train, [change], { weight, codec });
    return { run: 'toy-1', ticket: 't1-1.x', weight, milliseconds: 1, frame };
  };
  /** Sends an answer as a participant does: whole, or its header and what pieces are asked for. */
  const send = async (participant: string, answer: Answer) => {
    const whole = frameBytes(answer.frame);
    const payload = whole.subarray(40);
    if (pieceCount(payload.byteLength) < 2) return exchange.take(participant, answer);
    const announced = { ...answer, frame: whole.subarray(0, 40) };
    for (;;) {
      const receipt = await exchange.take(participant, announced);
      if (receipt.next === null) return receipt;
      for (let piece = receipt.next; piece < pieceCount(payload.byteLength); ) {
        const message = { run: 'toy-1', ticket: 't1-1.x', piece, bytes: pieceOf(payload, piece) };
        piece = await exchange.takePiece(participant, message);
      }
    }
  };
  const small = (values: readonly number[], weight = 1) => answerOf(Float32Array.from(values), weight);
  const large = (value: number, weight = 1) =>
    answerOf(new Float32Array(parameters).fill(value / 10), weight);
  const outcomes = () => [...exchange.cohort.entries()].map(([, { outcome }]) => outcome);
  const read = (answer: Answer): Contribution => finish(form.read(answer));
  return { exchange, clock, closed, heard, sum, form, limits, answerOf, small, large, send, outcomes, read };
}

describe('an exchange', () => {
  it('closes when its target is met, and the others are late', async () => {
    const w = world({ target: 2, quorum: 1 });
    w.exchange.open();
    expect(await w.send('a', w.small([1, 2, 3], 2))).toEqual(counted);
    expect(w.closed).toEqual([]);
    expect(await w.send('b', w.small([4, 2, 0], 1))).toEqual(counted);
    expect(w.closed).toEqual([{ outcome: 'enough' }]);
    expect(w.outcomes()).toEqual(['accepted', 'accepted', 'late', 'late']);
    await expect(w.send('c', w.small([1, 1, 1]))).rejects.toEqual(code('update-late'));
    expect(finish(w.sum.aggregate())).toMatchObject({ count: 2, weight: 3 });
    expect([...(finish(w.sum.aggregate()).means.get('model') ?? [])]).toEqual([2, 2, 2]);
    // Nothing that comes after is heard.
    w.exchange.out('c', 'left');
    w.exchange.away('d');
    w.exchange.endNow();
    w.exchange.abort(new CoppiceError('storage-failed', 'The disk is full.'));
    w.clock.advance(DEADLINE);
    expect(w.closed).toHaveLength(1);
    expect(w.heard).toEqual(['a counted', 'b counted']);
  });

  it('closes with its quorum at the deadline, or when nobody is left', async () => {
    for (const end of ['time', 'now', 'left'] as const) {
      const w = world();
      w.exchange.open();
      for (const member of ['a', 'b']) await w.send(member, w.small([1, 1, 1]));
      w.clock.advance(DEADLINE - 1);
      expect(w.closed).toEqual([]);
      if (end === 'time') w.clock.advance(1);
      else if (end === 'now') w.exchange.endNow();
      else
        for (const [member, how] of [
          ['c', 'left'],
          ['d', 'declined'],
        ] as const)
          w.exchange.out(member, how);
      expect(w.closed).toEqual([{ outcome: 'enough' }]);
      expect(w.outcomes().slice(2)).toEqual(end === 'left' ? ['left', 'declined'] : ['late', 'late']);
    }
  });

  it('comes to nothing without its quorum, and says why', async () => {
    const w = world({ quorum: 3 });
    w.exchange.open();
    await w.send('a', w.small([1, 1, 1]));
    w.clock.advance(DEADLINE);
    expect(w.closed).toMatchObject([{ outcome: 'lost', reason: { code: 'quorum-lost' } }]);
    const gone = world({ quorum: 3 });
    gone.exchange.open();
    gone.exchange.out('a', 'left');
    expect(gone.closed).toEqual([]);
    gone.exchange.out('b', 'declined');
    expect(gone.closed).toMatchObject([{ outcome: 'lost', reason: { code: 'quorum-lost' } }]);
  });

  it('lets a member be away for a while, and no longer', () => {
    const w = world({ members: ['a', 'b'], quorum: 1 });
    w.exchange.open();
    w.exchange.away('a');
    w.clock.advance(GRACE - 1);
    w.exchange.back('a');
    w.clock.advance(GRACE);
    expect(w.outcomes()).toEqual(['asked', 'asked']);
    w.exchange.away('a');
    w.exchange.away('a');
    w.clock.advance(GRACE);
    expect(w.outcomes()).toEqual(['left', 'asked']);
    w.exchange.back('a');
    expect(w.outcomes()).toEqual(['left', 'asked']);
    w.exchange.away('b');
    w.clock.advance(GRACE);
    expect(w.closed).toMatchObject([{ outcome: 'lost' }]);
  });

  it('takes the answer of a member that is away, and does not wait for it any more', async () => {
    const w = world({ members: ['a', 'b'], quorum: 1 });
    w.exchange.open();
    w.exchange.away('a');
    expect(await w.send('a', w.small([1, 1, 1]))).toEqual(counted);
    w.clock.advance(GRACE);
    expect(w.outcomes()).toEqual(['accepted', 'asked']);
  });

  it('counts what weighs too much, or is too long, as much as it may, and tells', async () => {
    const w = world({ members: ['a', 'b'], normBounds: { model: 5 }, cap: 10 });
    w.exchange.open();
    await w.send('a', w.small([30, 40, 0], 11));
    await w.send('b', w.small([3, 4, 0], 10));
    const [a, b] = [w.exchange.cohort.get('a'), w.exchange.cohort.get('b')];
    expect(a).toMatchObject({ weight: 10, capped: true, factor: expect.closeTo(0.1, 6) });
    expect(b).toMatchObject({ weight: 10, capped: false, factor: 1 });
    const mean = finish(w.sum.aggregate()).means.get('model');
    expect([...(mean ?? [])]).toEqual([expect.closeTo(3, 6), expect.closeTo(4, 6), 0]);
  });

  it('refuses once and for all what will not get better, and lets a damaged frame be sent again', async () => {
    const w = world();
    w.exchange.open();
    await expect(w.send('a', w.small([Number.NaN, 1, 1]))).rejects.toEqual(code('update-not-finite'));
    expect(w.exchange.cohort.get('a')).toMatchObject({ outcome: 'refused', refused: true, diverged: true });
    await expect(w.send('a', w.small([1, 1, 1]))).rejects.toEqual(code('update-late'));
    const damaged = { ...w.small([1, 1, 1]), frame: new Uint8Array(7) };
    for (const times of [1, 2]) {
      await expect(w.send('b', damaged), `${times}`).rejects.toEqual(code('frame-invalid'));
      expect(w.exchange.cohort.get('b')).toMatchObject({ outcome: 'asked', refused: true, diverged: false });
    }
    expect(await w.send('b', w.small([1, 1, 1]))).toEqual(counted);
    await expect(w.send('stranger', w.small([1, 1, 1]))).rejects.toEqual(code('update-not-selected'));
    expect(w.heard).toEqual(['a update-not-finite', 'b frame-invalid', 'b frame-invalid again', 'b counted']);
    expect(w.sum.count).toBe(1);
  });

  it('counts a member once, whatever is in what it sends again', async () => {
    const w = world();
    w.exchange.open();
    expect(await w.send('a', w.small([1, 1, 1]))).toEqual(counted);
    expect(await w.send('a', w.small([1, 1, 1]))).toEqual(duplicate);
    expect(await w.send('a', w.small([9, 9, 9], 9))).toEqual(duplicate);
    expect([w.sum.count, w.sum.weight]).toEqual([1, 1]);
    w.exchange.endNow();
    // Also of one that closed.
    expect(await w.send('a', w.small([1, 1, 1]))).toEqual(duplicate);
  });

  it('is abandoned without a word', async () => {
    const w = world();
    w.exchange.open();
    w.exchange.away('a');
    w.exchange.abandon();
    w.clock.advance(DEADLINE);
    await expect(w.send('b', w.small([1, 1, 1]))).rejects.toEqual(code('update-late'));
    expect([w.closed, w.heard]).toEqual([[], []]);
  });
});

describe('answers are kept before they are acknowledged', () => {
  /** A spool that keeps nothing until the test says so. */
  function slow() {
    const appends: { participant: string; done: () => void; fail: () => void }[] = [];
    const memory = memorySpool();
    const append: Spool['append'] = (_, { participant }) =>
      new Promise((done, fail) =>
        appends.push({
          participant,
          done,
          fail: () => fail(new CoppiceError('storage-failed', 'The disk is full.')),
        }),
      );
    return { appends, spool: { append, receive: memory.receive } };
  }

  it('neither the answer nor its copy is before', async () => {
    const { appends, spool } = slow();
    const w = world({ spool });
    w.exchange.open();
    const receipts: unknown[] = [];
    const sent = [1, 2].map(() => w.send('a', w.small([1, 1, 1])).then((receipt) => receipts.push(receipt)));
    await turn();
    expect(receipts).toEqual([]);
    expect(appends).toHaveLength(1);
    appends[0]?.done();
    await Promise.all(sent);
    expect(receipts).toEqual([counted, duplicate]);
  });

  it('one that cannot be kept ends the exchange, and nobody is blamed', async () => {
    const { appends, spool } = slow();
    const w = world({ spool });
    w.exchange.open();
    const sent = w.send('a', w.small([1, 1, 1]));
    await turn();
    appends[0]?.fail();
    await expect(sent).rejects.toEqual(code('storage-failed'));
    expect(w.closed).toMatchObject([{ outcome: 'lost', reason: { code: 'storage-failed' } }]);
    expect(w.heard).toEqual(['a counted']);
    expect(w.exchange.cohort.get('a')).toMatchObject({ refused: false });
  });

  it('one that cannot be kept after the exchange closed changes nothing of how it closed', async () => {
    const { appends, spool } = slow();
    const w = world({ members: ['a', 'b'], spool });
    w.exchange.open();
    const sent = ['a', 'b'].map((member) => w.send(member, w.small([1, 1, 1])).catch((error) => error.code));
    await turn();
    expect(w.closed).toEqual([{ outcome: 'enough' }]);
    appends[0]?.done();
    appends[1]?.fail();
    expect(await Promise.all(sent)).toEqual([counted, 'storage-failed']);
    // It is in the sum, but not on disk: until the round is stored, nobody may rely on it.
    await expect(w.send('b', w.small([1, 1, 1]))).rejects.toEqual(code('storage-failed'));
    expect(w.closed).toEqual([{ outcome: 'enough' }]);
    expect(w.sum.count).toBe(2);
  });

  it('nothing is kept where it need not be', async () => {
    const w = world({
      durable: false,
      spool: { append: () => Promise.reject(new Error('not asked here')), receive: memorySpool().receive },
    });
    w.exchange.open();
    expect(await w.send('a', w.small([1, 1, 1]))).toEqual(counted);
  });

  it('a disk that fails under the pieces of an answer says nothing of the answer', async () => {
    const memory = memorySpool();
    memory.open(openingOf('toy-1'));
    let failing = true;
    const receive: Spool['receive'] = async (bytes) => {
      const incoming = await memory.receive(bytes);
      const read: typeof incoming.read = (into) =>
        failing
          ? Promise.reject(new CoppiceError('storage-failed', 'The disk is broken.'))
          : incoming.read(into);
      return { ...incoming, read };
    };
    const w = world({ parameters: LARGE, spool: { append: memory.append, receive } });
    w.exchange.open();
    await expect(w.send('a', w.large(1))).rejects.toEqual(code('storage-failed'));
    expect(w.heard).toEqual([]);
    expect(w.exchange.cohort.get('a')).toMatchObject({ outcome: 'asked', refused: false });
    failing = false;
    expect(await w.send('a', w.large(1))).toEqual(counted);
  });
});

describe('an exchange that goes on in another process', () => {
  it('counts what was spooled, gives the others a while, and closes at once where all is there', async () => {
    const w = world({ begin: 'away', quorum: 2 });
    for (const member of ['a', 'b']) await w.exchange.restore(member, w.small([1, 1, 1], 3));
    await expect(w.exchange.restore('a', w.small([1, 1, 1]))).rejects.toEqual(code('update-late'));
    await expect(w.exchange.restore('c', w.small([Number.NaN, 1, 1]))).rejects.toEqual(
      code('update-not-finite'),
    );
    expect(w.heard).toEqual(['a counted', 'b counted']);
    w.exchange.open();
    expect(w.closed).toEqual([]);
    // One whose stored answer could not be used is asked again.
    w.exchange.back('c');
    expect(w.outcomes()).toEqual(['accepted', 'accepted', 'asked', 'away']);
    expect(await w.send('a', w.small([1, 1, 1], 3))).toEqual(duplicate);
    w.clock.advance(GRACE);
    expect(w.outcomes()).toEqual(['accepted', 'accepted', 'asked', 'left']);
    expect(await w.send('c', w.small([1, 1, 1], 3))).toEqual(counted);
    expect(w.closed).toEqual([{ outcome: 'enough' }]);
    expect(w.sum.weight).toBe(9);

    const whole = world({ begin: 'away', members: ['a', 'b'] });
    for (const member of ['a', 'b']) await whole.exchange.restore(member, whole.small([1, 1, 1]));
    expect(whole.closed).toEqual([]);
    whole.exchange.open();
    expect(whole.closed).toEqual([{ outcome: 'enough' }]);
  });
});

describe('a large answer', () => {
  const form = { parameters: LARGE, codec: 'int8', members: ['a', 'b', 'c'] } as const;

  it.each(['int8', 'float32'] as const)('of which copies come at once counts once (%s)', async (codec) => {
    const w = world({ ...form, codec });
    w.exchange.open();
    const receipts = await Promise.all([0, 1, 2, 3].map(() => w.send('a', w.large(1))));
    expect(receipts).toEqual([counted, duplicate, duplicate, duplicate]);
    expect(w.sum.count).toBe(1);
  });

  it.each(['int8', 'float32'] as const)(
    'that is wrong makes way for its copies, one at a time (%s)',
    async (codec) => {
      const w = world({ ...form, codec });
      w.exchange.open();
      const right = w.large(1);
      const damaged = new Uint8Array(frameBytes(right.frame));
      damaged[damaged.length - 1] = 1 ^ (damaged.at(-1) as number);
      // A participant sends again where it is told so: its copy was not read.
      const again = (answer: Answer) =>
        w.send('a', answer).catch((error: CoppiceError) => {
          expect(error).toMatchObject({ code: 'frame-invalid', retry: 'later' });
          return w.send('a', right);
        });
      const sent = [{ ...right, frame: damaged }, right, right, right].map((answer, at) =>
        at === 0 ? w.send('a', answer) : again(answer),
      );
      const came = await Promise.allSettled(sent);
      expect(came.filter(({ status }) => status === 'rejected').length).toBeLessThanOrEqual(1);
      expect(came.filter((one) => one.status === 'fulfilled' && !one.value.duplicate)).toHaveLength(1);
      w.exchange.endNow();
      await w.exchange.drained();
      expect(w.sum.partial().count).toBe(1);
    },
  );

  it('of which copies come while it is looked at is the only one that memory holds', async () => {
    const w = world(form);
    w.exchange.open();
    const unread: number[] = [];
    const copy = (answer: Answer, n: number) =>
      w.exchange.take('a', answer, () => {
        unread.push(n);
        letGo(answer.frame);
      });
    const first = copy(w.large(1), 0);
    await turn();
    const copies = [1, 2, 3].map((n) => copy(w.large(n), n));
    // At once, not when they are answered; the first is still needed.
    expect(unread).toEqual([1, 2, 3]);
    expect(await Promise.all([first, ...copies])).toEqual([counted, duplicate, duplicate, duplicate]);
    expect(await copy(w.large(1), 4)).toEqual(duplicate);
    expect(unread).toEqual([1, 2, 3, 4]);
    expectSum(w, new Map([['a', w.large(1)]]));
  });

  it('of which a piece comes again while it is written holds it once', async () => {
    const memory = memorySpool();
    let written = () => {};
    const receive: Spool['receive'] = async (bytes) => ({
      ...(await memory.receive(bytes)),
      write: () =>
        new Promise<void>((done) => {
          written = done;
        }),
    });
    const w = world({ parameters: LARGE, spool: { append: memory.append, receive } });
    w.exchange.open();
    const answer = w.large(1);
    await w.exchange.take('a', { ...answer, frame: frameBytes(answer.frame).subarray(0, 40) });
    const bytes = pieceOf(frameBytes(answer.frame).subarray(40), 0);
    const unread: number[] = [];
    const sent = [0, 1, 2].map((n) =>
      w.exchange.takePiece(
        'a',
        { run: 'toy-1', ticket: 't1-1.x', piece: 0, bytes },
        () => void unread.push(n),
      ),
    );
    await turn();
    expect(unread).toEqual([1, 2]);
    written();
    expect(await Promise.all(sent)).toEqual([1, 1, 1]);
  });

  it('that is being looked at when the target is met is taken back', async () => {
    const w = world({ ...form, target: 1, quorum: 1 });
    w.exchange.open();
    const sent = ['a', 'b', 'c'].map((member, at) =>
      w.send(member, w.large(at + 1)).catch((error) => error.code),
    );
    const came = await Promise.all(sent);
    expect(came.filter((one) => one !== 'update-late')).toEqual([counted]);
    await w.exchange.drained();
    expect(w.closed).toEqual([{ outcome: 'enough' }]);
    const at = came.findIndex((one) => one !== 'update-late');
    expectSum(w, new Map([['abc'[at] as string, w.large(at + 1)]]));
  });

  it.each(['int8', 'float32'] as const)(
    'that is here whole at the deadline is waited for, wherever it is (%s)',
    async (codec) => {
      const w = world({ ...form, codec, quorum: 2 });
      w.exchange.open();
      const answers = ['a', 'b'].map((member, at) => [member, w.large(at + 1)] as const);
      const last = answers.map(async ([member, answer]) => {
        if (codec === 'int8') return w.send(member, answer);
        const announced = { ...answer, frame: frameBytes(answer.frame).subarray(0, 40) };
        const payload = frameBytes(answer.frame).subarray(40);
        await w.exchange.take(member, announced);
        for (let piece = 0; piece < pieceCount(payload.byteLength); piece++)
          await w.exchange.takePiece(member, {
            run: 'toy-1',
            ticket: 't1-1.x',
            piece,
            bytes: pieceOf(payload, piece),
          });
        return () => w.exchange.take(member, announced);
      });
      const here = await (codec === 'int8' ? [] : Promise.all(last));
      const sent = here.map((go) => (go as () => Promise<unknown>)());
      // One is being read or looked at, the other waits for its turn.
      w.clock.advance(DEADLINE);
      expect(w.closed).toEqual([]);
      expect(await Promise.all(codec === 'int8' ? last : sent)).toEqual([counted, counted]);
      expect(w.closed).toEqual([{ outcome: 'enough' }]);
      expect(w.outcomes()).toEqual(['accepted', 'accepted', 'late']);
    },
  );

  it('that waits for its turn when the exchange closes is late, and so is one that is being read', async () => {
    const memory = memorySpool();
    memory.open(openingOf('toy-1'));
    const reads: (() => void)[] = [];
    let made = 0;
    let discarded = 0;
    const receive: Spool['receive'] = async (bytes) => {
      made++;
      const incoming = await memory.receive(bytes);
      let gone = false;
      const read: typeof incoming.read = async (into) => {
        await new Promise<void>((go) => reads.push(go));
        if (gone) throw new CoppiceError('storage-failed', 'The file is closed.');
        await incoming.read(into);
      };
      const discard = async () => {
        gone = true;
        discarded++;
      };
      return { ...incoming, read, discard };
    };
    const w = world({ parameters: LARGE, target: 1, spool: { append: memory.append, receive } });
    w.exchange.open();
    const sent = ['a', 'b'].map((member) => w.send(member, w.large(1)).catch((error) => error.code));
    while (reads.length === 0) await turn();
    w.exchange.abort(new CoppiceError('storage-failed', 'The disk is full.'));
    const drained = w.exchange.drained();
    for (const go of reads) go();
    expect(await Promise.all(sent)).toEqual(['update-late', 'update-late']);
    await drained;
    await turn();
    expect(w.sum.partial().count).toBe(0);
    expect(w.heard).toEqual([]);
    expect(discarded).toBe(made);
  });
});

describe('an exchange that anyone may answer', () => {
  const open = { members: 'anyone', target: Number.POSITIVE_INFINITY, quorum: 2 } as const;

  it('takes the answers of those that were admitted, once each, until its time is up', async () => {
    const w = world(open);
    w.exchange.open();
    await expect(w.send('a', w.small([1, 2, 3]))).rejects.toEqual(code('update-not-selected'));
    for (const member of ['a', 'a', 'b', 'c']) w.exchange.admit(member);
    expect(w.exchange.cohort.size).toBe(3);
    expect(await w.send('a', w.small([1, 2, 3]))).toEqual(counted);
    w.exchange.admit('a');
    expect(await w.send('a', w.small([9, 9, 9]))).toEqual(duplicate);
    // Nobody else is expected by name, and still others may come.
    for (const member of ['b', 'c']) w.exchange.out(member, 'declined');
    expect(w.closed).toEqual([]);
    w.exchange.admit('d');
    expect(await w.send('d', w.small([3, 2, 1]))).toEqual(counted);
    w.clock.advance(DEADLINE);
    expect(w.closed).toEqual([{ outcome: 'enough' }]);
    expect(() => w.exchange.admit('e')).toThrow(code('update-late'));
    expect([...(finish(w.sum.aggregate()).means.get('model') ?? [])]).toEqual([2, 2, 2]);
  });

  it('comes to nothing without its quorum', async () => {
    const w = world(open);
    w.exchange.open();
    w.exchange.admit('a');
    await w.send('a', w.small([1, 2, 3]));
    w.clock.advance(DEADLINE - 1);
    expect(w.closed).toEqual([]);
    w.clock.advance(1);
    expect(w.closed).toMatchObject([{ outcome: 'lost', reason: { code: 'quorum-lost' } }]);
  });

  it('admits nobody where the cohort was chosen', () => {
    const w = world();
    w.exchange.open();
    w.exchange.admit('a');
    expect(() => w.exchange.admit('stranger')).toThrow(code('update-not-selected'));
    expect(w.exchange.cohort.size).toBe(4);
  });
});

describe('an exchange that stays open', () => {
  const open = {
    members: 'anyone',
    dueAfter: null,
    target: Number.POSITIVE_INFINITY,
    quorum: 1,
  } as const;

  it('is read while answers come in, and goes on in another process to the same bits', async () => {
    const form = { ...open, parameters: LARGE, codec: 'int8' } as const;
    const w = world(form);
    w.exchange.open();
    const answers = new Map(['a', 'b', 'c', 'd'].map((member, at) => [member, w.large(at + 1)] as const));
    const read: (PartialContributions | null)[] = [];
    for (const [member, answer] of answers) {
      w.exchange.admit(member);
      const sent = w.send(member, answer);
      // A part of the answer is in the sum.
      await turn();
      expect(w.sum.count).toBe(read.length);
      read.push(await w.exchange.partial());
      await sent;
    }
    w.clock.advance(365 * 24 * 3600 * 1000);
    expect(w.closed).toEqual([]);
    // Every reading is the sum of as many whole answers as it counts.
    for (const [at, partial] of read.entries()) {
      expect(partial?.count).toBe(at + 1);
      const whole = sumOf(w, [...answers.values()].slice(0, at + 1)).partial();
      expect(bitsOf(partial as PartialContributions).equals(bitsOf(whole)), `${at}`).toBe(true);
    }

    const next = world({ ...form, begin: 'away' });
    for (const member of ['c', 'a']) await next.exchange.restore(member, answers.get(member) as Answer);
    next.exchange.open();
    for (const member of ['d', 'a', 'b']) {
      next.exchange.admit(member);
      const receipt = await next.send(member, answers.get(member) as Answer);
      expect(receipt).toEqual(member === 'a' ? duplicate : counted);
    }
    expect(bitsOf(next.sum.partial()).equals(bitsOf(w.sum.partial()))).toBe(true);
    next.exchange.endNow();
    expect(next.closed).toEqual([{ outcome: 'enough' }]);
  });

  it('closes when so many answers count as it is to keep', async () => {
    const w = world({ ...open, target: 2 });
    w.exchange.open();
    for (const member of ['a', 'b', 'c']) w.exchange.admit(member);
    await w.send('a', w.small([1, 1, 1]));
    expect(w.closed).toEqual([]);
    await w.send('b', w.small([1, 1, 1]));
    expect(w.closed).toEqual([{ outcome: 'enough' }]);
    expect(w.outcomes()).toEqual(['accepted', 'accepted', 'late']);
  });
});

function sumOf(w: ReturnType<typeof world>, answers: readonly Answer[]): ExactSum {
  const sum = new ExactSum(w.form.sections);
  for (const answer of answers) finish(sum.add(w.read(answer), answer.weight, w.limits(null)));
  return sum;
}

/** Of the vector of a model. */
function bitsOf({ vectors }: PartialContributions): Buffer {
  const { high, low } = vectors['model'] as PartialSum;
  return Buffer.concat([Buffer.from(high.buffer), Buffer.from(low.buffer)]);
}

/* Whatever comes in whatever order: the exchange ends, once, and holds exactly what it said to count. */

const codes = ['update-late', 'update-not-finite', 'update-norm', 'update-not-offered', 'frame-invalid'];

function pick<T>(random: RandomSource, from: readonly T[]): T {
  return from[integerBelow(random, from.length)] as T;
}

async function anyInterleaving(random: RandomSource, setting: Setting): Promise<void> {
  const size = 1 + integerBelow(random, 6);
  const members = ['a', 'b', 'c', 'd', 'e', 'f'].slice(0, size);
  const target = 1 + integerBelow(random, size);
  const quorum = 1 + integerBelow(random, target);
  const cap = 20;
  const normBounds = pick(random, [null, { model: 2 }]);
  const w = world({ ...setting, members, target, quorum, cap, normBounds });
  const parameters = setting.parameters ?? 3;
  const answers = new Map(
    members.map((member) => {
      const scale = pick(random, [1e-3, 1, 50]);
      const values = Float32Array.from({ length: parameters }, () => (uniform(random) - 0.5) * scale);
      return [member, w.answerOf(values, 1 + integerBelow(random, 30))] as const;
    }),
  );
  const bad = new Map(
    members.map((member) => {
      const whole = new Uint8Array(frameBytes((answers.get(member) as Answer).frame));
      whole[whole.length - 1] = 1 ^ (whole.at(-1) as number);
      return [member, { ...(answers.get(member) as Answer), frame: whole }] as const;
    }),
  );
  w.exchange.open();
  const came: { member: string; what: unknown }[] = [];
  const under: Promise<void>[] = [];
  const send = (member: string, answer: Answer) =>
    void under.push(
      w.send(member, answer).then(
        (what) => void came.push({ member, what }),
        (error: CoppiceError) => void came.push({ member, what: error.code }),
      ),
    );
  for (let step = 0; step < 8 * size; step++) {
    const member = pick(random, members);
    const what = integerBelow(random, 20);
    if (what < 8) send(member, answers.get(member) as Answer);
    else if (what < 10) send(member, bad.get(member) as Answer);
    else if (what < 11) w.exchange.out(member, pick(random, ['left', 'declined'] as const));
    else if (what < 13) w.exchange.away(member);
    else if (what < 15) w.exchange.back(member);
    else if (what < 16) w.clock.advance(integerBelow(random, GRACE));
    else for (let turns = integerBelow(random, 4); turns > 0; turns--) await turn();
    if (integerBelow(random, 40) === 0) w.exchange.endNow();
  }
  w.clock.advance(DEADLINE);
  // An exchange that closed is aggregated as soon as it is drained.
  while (w.closed.length === 0) await turn();
  await w.exchange.drained();
  const low = Buffer.from((w.sum.partial().vectors['model'] as PartialSum).low.buffer);
  await Promise.all(under);
  w.clock.advance(DEADLINE);
  expect(w.closed).toHaveLength(1);
  const after = Buffer.from((w.sum.partial().vectors['model'] as PartialSum).low.buffer);
  expect(after.equals(low)).toBe(true);

  const accepted = members.filter((member) => w.exchange.cohort.get(member)?.outcome === 'accepted');
  expect(w.closed[0]?.outcome === 'enough').toBe(accepted.length >= quorum);
  expect(accepted.length).toBeLessThanOrEqual(target);
  expect(members.filter((member) => w.exchange.cohort.owing(member) !== null)).toEqual([]);
  // Told that it counted: those that do, once each.
  const told = came.filter(
    ({ what }) => typeof what === 'object' && !(what as { duplicate: boolean }).duplicate,
  );
  expect(told.map(({ member }) => member).toSorted()).toEqual(accepted.toSorted());
  expect(w.heard.filter((one) => one.endsWith('counted')).toSorted()).toEqual(
    accepted.map((member) => `${member} counted`).toSorted(),
  );
  for (const { what } of came) if (typeof what === 'string') expect(codes).toContain(what);

  for (const member of accepted) {
    const { weight } = answers.get(member) as Answer;
    expect(w.exchange.cohort.get(member)).toMatchObject({
      weight: Math.min(cap, weight),
      capped: weight > cap,
    });
  }
  const counting = shuffle([...accepted], random).map(
    (member) => [member, answers.get(member) as Answer] as const,
  );
  expectSum(w, new Map(counting), { cap, normBounds });
}

/** The sum is exactly that of these members' answers. */
function expectSum(
  w: ReturnType<typeof world>,
  answers: ReadonlyMap<string, Answer>,
  { cap = 1000, normBounds = null }: Pick<Setting, 'cap' | 'normBounds'> = {},
): void {
  const sum = new ExactSum(w.form.sections);
  for (const [member, answer] of answers) {
    const { factor, norms } = finish(
      sum.add(w.read(answer), Math.min(cap, answer.weight), w.limits(normBounds)),
    );
    expect(w.exchange.cohort.get(member)).toMatchObject({ factor, norms });
  }
  const [is, expected] = [w.sum.partial(), sum.partial()];
  expect({ ...is, vectors: null }).toEqual({ ...expected, vectors: null });
  for (const part of ['high', 'low'] as const) {
    // Bytes: numbers one by one take seconds.
    const bytes = ({ vectors }: typeof is) => Buffer.from((vectors['model'] as PartialSum)[part].buffer);
    expect(bytes(is).equals(bytes(expected)), part).toBe(true);
  }
}

it.each(Array.from({ length: 120 }, (_, seed) => seed))(
  'any interleaving of small answers ends (seed %i)',
  (seed) => anyInterleaving(seededRandom('small', seed), {}),
);

it.each(Array.from({ length: 10 }, (_, seed) => seed))(
  'any interleaving of large answers ends (seed %i)',
  (seed) => anyInterleaving(seededRandom('large', seed), { parameters: LARGE, codec: 'int8' }),
);

it.each(Array.from({ length: 6 }, (_, seed) => seed))(
  'any interleaving of answers in pieces ends (seed %i)',
  (seed) => anyInterleaving(seededRandom('pieces', seed), { parameters: LARGE }),
);
