import { connect as connectTcp, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { frame, type Json, type RawParticipant } from '../conformance/raw-participant.ts';
import { type Asked, deliver, foretold, honest, type Someone, World } from './world.ts';

/*
 * One coordinator, and in each case three honest participants and one that is not. Whatever the fourth
 * does: the process lives, the round ends, the honest are told so, and the model is, to the bit, what
 * the honest updates alone make.
 */
let world: World;
const sockets: Socket[] = [];

beforeAll(async () => {
  world = await World.begin();
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await world.leaveAll();
});
afterAll(() => world.end());

const PLAN = {
  minParticipants: 4,
  quorum: 0.5,
  overSelection: 1,
  rounds: 1,
  deadlineSeconds: 60,
  graceSeconds: 5,
};
const NUMBERS = [1, 2, 3];

interface Cohort {
  readonly run: string;
  readonly good: Someone[];
  readonly bad: Someone;
  /** What the fourth was asked; the honest were asked the same. */
  readonly asked: Asked;
}

let cases = 0;

async function begin(plan: Json = {}): Promise<Cohort> {
  const run = await world.launch({ ...PLAN, ...plan });
  const prefix = `case-${++cases}`;
  const good: Someone[] = [];
  for (const n of NUMBERS) good.push(await world.join(`${prefix}-good-${n}`, run));
  const bad = await world.join(`${prefix}-bad`, run);
  const [asked] = await Promise.all([bad, ...good].map((one) => world.asked(one)));
  return { run, good, bad, asked: asked as Asked };
}

/** The honest deliver; none of their answers may differ because of the fourth. */
async function deliverAll({ good, asked }: Cohort): Promise<void> {
  for (const [i, one] of good.entries()) {
    expect(await deliver(one, asked, NUMBERS[i] as number)).toEqual({
      ok: true,
      value: { duplicate: false, next: null },
    });
  }
}

const honestUpdates = (asked: Asked) => NUMBERS.map((n) => honest(asked, n));

/** What all who are honest must have seen in the end. */
async function expectRight(
  { run, good, asked }: Cohort,
  { updates = honestUpdates(asked), bad }: { updates?: ReturnType<typeof honestUpdates>; bad: string },
): Promise<void> {
  const checkpoint = foretold(asked, updates);
  for (const { raw } of good) {
    expect((await raw.event('round-end')).message).toMatchObject({
      run,
      round: asked.round,
      outcome: 'committed',
      checkpoint,
      accepted: updates.length,
      you: 'accepted',
    });
  }
  const rounds = await world.get<Json[]>(`/api/runs/${run}/rounds`);
  const { attempt } = asked.update;
  const round = rounds.find((one) => one['round'] === asked.round && one['attempt'] === attempt);
  expect(round).toMatchObject({ outcome: 'committed', checkpoint, accepted: updates.length });
  const cohort = round?.['cohort'] as { outcome: string }[];
  expect(cohort.map(({ outcome }) => outcome).toSorted()).toEqual(
    ['accepted', 'accepted', 'accepted', bad].toSorted(),
  );
}

const passDeadline = () => world.clock.advance(60_000);
const passGrace = () => world.clock.advance(5_000);

/** A refusal by name. */
const refusal = (code: string) =>
  expect.objectContaining({ ok: false, error: expect.objectContaining({ code }) });

const without = (message: Json, field: string) =>
  Object.fromEntries(Object.entries(message).filter(([name]) => name !== field));

function noise(length: number): Uint8Array {
  let state = 1;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  });
}

const flat = (asked: Asked, value: number) => asked.weights.map(() => value);

describe('an update that cannot be used is refused by name', () => {
  type Refused = [string, string, (asked: Asked) => [Json, Uint8Array]];
  const refused: Refused[] = [
    ['random bytes', 'frame-invalid', (asked) => [asked.update, noise(564)]],
    ['no bytes', 'frame-invalid', (asked) => [asked.update, new Uint8Array(0)]],
    [
      'a truncated frame',
      'frame-invalid',
      (asked) => [asked.update, asked.frame(flat(asked, 1)).subarray(0, -4)],
    ],
    [
      'half a header',
      'frame-invalid',
      (asked) => [asked.update, asked.frame(flat(asked, 1)).subarray(0, 20)],
    ],
    [
      'a frame with a tail',
      'frame-invalid',
      (asked) => [asked.update, Buffer.concat([asked.frame(flat(asked, 1)), noise(4)])],
    ],
    ['an oversized frame', 'frame-too-large', (asked) => [asked.update, noise(1_100_000)]],
    [
      'a damaged frame',
      'frame-invalid',
      (asked) => [asked.update, asked.frame(flat(asked, 1)).map((byte, i) => (i === 99 ? byte ^ 1 : byte))],
    ],
    ['a longer model', 'update-shape', (asked) => [asked.update, asked.frame([...flat(asked, 1), 1])]],
    ['a scalar for all tensors', 'update-shape', (asked) => [asked.update, asked.frame([1])]],
    [
      'another layout of the same length',
      'update-shape',
      (asked) => [asked.update, frame(2, noise(16), flat(asked, 1))],
    ],
    [
      'the weights themselves',
      'update-shape',
      (asked) => [asked.update, frame(1, asked.hash, asked.weights)],
    ],
    [
      'NaN',
      'update-not-finite',
      (asked) => [asked.update, asked.frame([...flat(asked, 1).slice(1), Number.NaN])],
    ],
    ['an infinity', 'update-not-finite', (asked) => [asked.update, asked.frame(flat(asked, Infinity))]],
    [
      'a negative infinity',
      'update-not-finite',
      (asked) => [asked.update, asked.frame(flat(asked, -Infinity))],
    ],
    ['1e30', 'update-norm', (asked) => [asked.update, asked.frame(flat(asked, 1e30))]],
    [
      'a step longer than the plan lets count',
      'update-norm',
      (asked) => [asked.update, asked.frame(flat(asked, 1000))],
    ],
    [
      'a measurement on more examples than the plan counts',
      'update-examples',
      (asked) => [
        { ...asked.update, evaluation: { loss: 1, accuracy: 1, examples: 100_001 } },
        asked.frame(flat(asked, 1)),
      ],
    ],
    ...(
      [
        ['a loss beyond all means', { loss: 1e308 }],
        ['a measured loss beyond all means', { evaluation: { loss: -1e308, accuracy: 1, examples: 2 } }],
        ['training before time began', { milliseconds: -1 }],
        ['training for a million years', { milliseconds: 1e15 }],
      ] as const
    ).map(
      ([name, claim]): Refused => [
        name,
        'message-invalid',
        (asked) => [{ ...asked.update, ...claim }, asked.frame(flat(asked, 1))],
      ],
    ),
    [
      'more examples than the plan counts',
      'update-examples',
      (asked) => [{ ...asked.update, examples: 100_001 }, asked.frame(flat(asked, 1))],
    ],
    [
      'more examples than anybody may claim',
      'message-invalid',
      (asked) => [{ ...asked.update, examples: 1e300 }, asked.frame(flat(asked, 1))],
    ],
    [
      'no examples',
      'message-invalid',
      (asked) => [{ ...asked.update, examples: 0 }, asked.frame(flat(asked, 1))],
    ],
    [
      'a round of the future',
      'update-stale',
      (asked) => [{ ...asked.update, round: 7 }, asked.frame(flat(asked, 1))],
    ],
    [
      'a round of the far future',
      'update-stale',
      (asked) => [{ ...asked.update, round: Number.MAX_SAFE_INTEGER }, asked.frame(flat(asked, 1))],
    ],
    [
      'a round that is no number of a round',
      'message-invalid',
      (asked) => [{ ...asked.update, round: 1.5 }, asked.frame(flat(asked, 1))],
    ],
    [
      'another run',
      'run-unknown',
      (asked) => [{ ...asked.update, run: 'no-such-run' }, asked.frame(flat(asked, 1))],
    ],
    [
      'an old model',
      'update-stale',
      (asked) => [{ ...asked.update, checkpoint: '0'.repeat(64) }, asked.frame(flat(asked, 1))],
    ],
  ];
  it.each(refused)('%s: %s', async (_, code, make) => {
    const cohort = await begin();
    const [update, bytes] = make(cohort.asked);
    const answer = (await cohort.bad.raw.ask('update', update, bytes)).message;
    expect(answer).toEqual(refusal(code));
    await deliverAll(cohort);
    // What is wrong in itself is out at once; the rest may be sent again until the deadline.
    const out = [
      'update-shape',
      'update-not-finite',
      'update-norm',
      'update-examples',
      'frame-too-large',
    ].includes(code);
    if (!out) passDeadline();
    await expectRight(cohort, { bad: out ? 'refused' : 'late' });
  });

  it('a message without one of its fields', async () => {
    const cohort = await begin();
    const { update } = cohort.asked;
    for (const field of Object.keys(update)) {
      const { message } = await cohort.bad.raw.ask('update', without(update, field), cohort.asked.frame([1]));
      expect(message, field).toEqual(refusal('message-invalid'));
    }
    await deliverAll(cohort);
    passDeadline();
    await expectRight(cohort, { bad: 'late' });
  });

  it.each([
    ['no frame', (update: Json) => update],
    ['a number for a frame', (update: Json) => ({ ...update, frame: 5 })],
    ['a text for a frame', (update: Json) => ({ ...update, frame: 'CPF1' })],
    ['numbers for a frame', (update: Json) => ({ ...update, frame: [1, 2, 3] })],
    ['a field more', (update: Json) => ({ ...update, frame: 1, more: 1 })],
    ['nothing', () => null],
    ['a text', () => 'update'],
    ['a list', () => []],
  ])('%s in place of a message', async (_, make) => {
    const cohort = await begin();
    const { message } = await cohort.bad.raw.ask('update', make(cohort.asked.update));
    expect(message).toEqual(refusal('message-invalid'));
    await deliverAll(cohort);
    passDeadline();
    await expectRight(cohort, { bad: 'late' });
  });

  it('a message that asks for no answer is named in a notice', async () => {
    const cohort = await begin();
    cohort.bad.raw.tell('update', { nothing: true });
    expect((await cohort.bad.raw.event('notice')).message).toMatchObject({ code: 'message-invalid' });
    await deliverAll(cohort);
    passDeadline();
    await expectRight(cohort, { bad: 'late' });
  });
});

describe('what is not the protocol at all ends the connection that sent it, and no other', () => {
  it.each<[string, (raw: RawParticipant) => void]>([
    ['random bytes', (raw) => raw.send(noise(500))],
    ['a text that is no packet', (raw) => raw.send('hello')],
    ['a packet that is no JSON', (raw) => raw.send('42/participant,["join",{')],
    ['a packet of an unknown type', (raw) => raw.send('4x')],
    ['a packet that is no event', (raw) => raw.send('42/participant,{"a":1}')],
    ['an event with a name of the library', (raw) => raw.send('42/participant,["disconnect"]')],
    [
      'a text where a frame was announced',
      (raw) => {
        raw.send('451-/participant,7["update",{"frame":{"_placeholder":true,"num":0}}]');
        raw.send('hello');
      },
    ],
    [
      'more placeholders than frames',
      (raw) => {
        raw.send('451-/participant,7["update",{"frame":{"_placeholder":true,"num":9}}]');
        raw.send(noise(9));
      },
    ],
    ['a message without end', (raw) => raw.send(new Uint8Array(268_566_529))],
  ])('%s', async (_, send) => {
    const cohort = await begin();
    send(cohort.bad.raw);
    await cohort.bad.raw.closed;
    await world.gone(cohort.run, 1);
    await deliverAll(cohort);
    passGrace();
    await expectRight(cohort, { bad: 'left' });
  });

  it('an event that does not exist is not heard', async () => {
    const cohort = await begin();
    cohort.bad.raw.tell('constructor', {});
    cohort.bad.raw.tell('__proto__', {});
    cohort.bad.raw.tell('no-such-event', {});
    // Messages are handled in order, so the three were there before this one is answered.
    expect((await cohort.bad.raw.ask('pull', { run: cohort.run })).message).toMatchObject({ ok: true });
    await deliverAll(cohort);
    passDeadline();
    await expectRight(cohort, { bad: 'late' });
  });
});

describe('one that does not stop', () => {
  it('sending what cannot be used is told why, and let go', async () => {
    const cohort = await begin();
    for (let n = 0; n < 20; n++) {
      const { message } = await cohort.bad.raw.ask('update', cohort.asked.update, noise(40 + n));
      expect(message).toEqual(refusal('frame-invalid'));
    }
    expect((await cohort.bad.raw.event('notice')).message).toMatchObject({ code: 'frame-invalid' });
    await cohort.bad.raw.closed;
    await world.gone(cohort.run, 1);
    await deliverAll(cohort);
    passGrace();
    await expectRight(cohort, { bad: 'left' });
  });

  it('repeating itself, too late or from an old model, is answered each time and stays', async () => {
    const cohort = await begin();
    const old = { ...cohort.asked.update, checkpoint: '0'.repeat(64) };
    const late = { ...cohort.asked.update, round: 0 };
    for (let n = 0; n < 30; n++) {
      const frame = cohort.asked.frame(flat(cohort.asked, 1));
      expect((await cohort.bad.raw.ask('update', old, frame)).message).toEqual(refusal('update-stale'));
      expect((await cohort.bad.raw.ask('update', late, frame)).message).toEqual(refusal('update-late'));
    }
    expect((await deliver(cohort.bad, cohort.asked, 4))['ok']).toBe(true);
    for (let n = 0; n < 30; n++) {
      const again = await deliver(cohort.bad, cohort.asked, 4);
      expect(again).toEqual({ ok: true, value: { duplicate: true, next: null } });
    }
    await deliverAll(cohort);
    const updates = [...honestUpdates(cohort.asked), honest(cohort.asked, 4)];
    await expectRight(cohort, { updates, bad: 'accepted' });
  });
});

describe('an update counts once', () => {
  it('when one socket submits it five times at once', async () => {
    const cohort = await begin();
    const five = Array.from({ length: 5 }, () => deliver(cohort.bad, cohort.asked, 4));
    const answers = (await Promise.all(five)).map((answer) => (answer['value'] as Json)['duplicate']);
    expect(answers.toSorted()).toEqual([false, true, true, true, true]);
    await deliverAll(cohort);
    const updates = [...honestUpdates(cohort.asked), honest(cohort.asked, 4)];
    await expectRight(cohort, { updates, bad: 'accepted' });
  });

  it('when the five differ: the first', async () => {
    const cohort = await begin();
    const five = [4, 5, 6, 7, 8].map((n) => deliver(cohort.bad, cohort.asked, n));
    const answers = (await Promise.all(five)).map((answer) => (answer['value'] as Json)['duplicate']);
    expect(answers).toEqual([false, true, true, true, true]);
    await deliverAll(cohort);
    const updates = [...honestUpdates(cohort.asked), honest(cohort.asked, 4)];
    await expectRight(cohort, { updates, bad: 'accepted' });
  });

  it('when it is replayed in the next round, as it was or dressed as a new one', async () => {
    const cohort = await begin({ rounds: 2 });
    await deliver(cohort.bad, cohort.asked, 4);
    await deliverAll(cohort);
    const updates = [...honestUpdates(cohort.asked), honest(cohort.asked, 4)];
    await expectRight(cohort, { updates, bad: 'accepted' });
    const [asked] = await Promise.all([cohort.bad, ...cohort.good].map((one) => world.asked(one)));
    const second: Cohort = { ...cohort, asked: asked as Asked };
    expect(await deliver(cohort.bad, cohort.asked, 4)).toEqual({
      ok: true,
      value: { duplicate: true, next: null },
    });
    const { delta, examples } = honest(cohort.asked, 4);
    const dressed = { ...cohort.asked.update, round: 2, examples };
    const answer = await cohort.bad.raw.ask('update', dressed, cohort.asked.frame(delta));
    expect(answer.message).toEqual(refusal('update-stale'));
    await deliverAll(second);
    passDeadline();
    await expectRight(second, { bad: 'late' });
  });

  it('and not at all from one who is not in the run', async () => {
    const cohort = await begin();
    const stranger = await world.connect('stranger');
    expect(await deliver(stranger, cohort.asked, 9)).toEqual(refusal('update-not-selected'));
    // Nor from one who joined when the cohort was drawn already.
    const late = await world.join('too-late', cohort.run);
    expect(await deliver(late, cohort.asked, 9)).toEqual(refusal('update-not-selected'));
    await deliverAll(cohort);
    passDeadline();
    await expectRight(cohort, { bad: 'late' });
  });
});

describe('silence and slowness', () => {
  const tcp = (text: string) =>
    new Promise<Socket>((resolve, reject) => {
      const socket = connectTcp(world.port, '127.0.0.1', () => {
        socket.write(text, () => resolve(socket));
      });
      socket.once('error', reject);
      sockets.push(socket);
    });

  it('one that joins and never speaks costs the round its deadline', async () => {
    const cohort = await begin();
    await deliverAll(cohort);
    passDeadline();
    await expectRight(cohort, { bad: 'late' });
  });

  it('a hundred that connect and never speak, at every depth, cost nothing', async () => {
    const cohort = await begin();
    const upgrade = `GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\n\r\n`;
    for (let n = 0; n < 100; n++) {
      if (n % 4 === 0) await tcp('');
      else if (n % 4 === 1) await tcp('GET /socket.io/ HT');
      else if (n % 4 === 2) await tcp(upgrade);
      else await world.connect(`mute-${n}`);
    }
    await deliverAll(cohort);
    passDeadline();
    await expectRight(cohort, { bad: 'late' });
  });

  it('uploads that trickle and never end are not waited for beyond the deadline', async () => {
    const cohort = await begin();
    const upload = await tcp(
      `POST /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 200000000\r\n\r\n`,
    );
    upload.write('4'.repeat(1000));
    // A text that announces a frame of which only the beginning comes.
    cohort.bad.raw.send('451-/participant,7["update",{"frame":{"_placeholder":true,"num":0}}]');
    await deliverAll(cohort);
    passDeadline();
    await expectRight(cohort, { bad: 'late' });
  });

  it('one that drops after the others have delivered costs the round its grace', async () => {
    const cohort = await begin();
    await deliverAll(cohort);
    await cohort.bad.raw.close();
    await world.gone(cohort.run, 1);
    passGrace();
    await expectRight(cohort, { bad: 'left' });
  });

  it('when all drop, the round is given up, the model stays, and those who come back make it', async () => {
    const cohort = await begin();
    for (const { raw } of [...cohort.good, cohort.bad]) await raw.close();
    await world.gone(cohort.run, 4);
    passGrace();
    const rounds = await world.get<Json[]>(`/api/runs/${cohort.run}/rounds`);
    expect(rounds).toMatchObject([
      { outcome: 'abandoned', reason: { code: 'quorum-lost' }, checkpoint: null },
    ]);
    const good = await Promise.all(cohort.good.map(({ name }) => world.join(name, cohort.run)));
    const bad = await world.join(cohort.bad.name, cohort.run);
    world.clock.advance(1000);
    const [asked] = await Promise.all([bad, ...good].map((one) => world.asked(one)));
    expect((asked as Asked).update).toMatchObject({
      attempt: 2,
      checkpoint: cohort.asked.update['checkpoint'],
    });
    const again: Cohort = { run: cohort.run, good, bad, asked: asked as Asked };
    await deliverAll(again);
    passDeadline();
    await expectRight(again, { bad: 'late' });
  });

  it('one that comes back with an old model is given the current one', async () => {
    const cohort = await begin({ rounds: 2 });
    await cohort.bad.raw.close();
    await world.gone(cohort.run, 1);
    await deliverAll(cohort);
    passGrace();
    await expectRight(cohort, { bad: 'left' });
    const bad = await world.join(cohort.bad.name, cohort.run);
    const [asked] = await Promise.all([bad, ...cohort.good].map((one) => world.asked(one)));
    const second: Cohort = { ...cohort, bad, asked: asked as Asked };
    const old = await deliver(bad, cohort.asked, 4);
    expect(old).toEqual(refusal('update-late'));
    expect(old['current']).toMatchObject({ round: 1, checkpoint: second.asked.update['checkpoint'] });
    await deliverAll(second);
    passDeadline();
    await expectRight(second, { bad: 'late' });
  });
});

describe('clocks', () => {
  it.each([0, 5e-324, 7 * 86_400_000])(
    'a device that says it trained for %s ms is counted as any other',
    async (milliseconds) => {
      const cohort = await begin();
      const { delta, examples } = honest(cohort.asked, 4);
      const sent = { ...cohort.asked.update, examples, milliseconds };
      expect((await cohort.bad.raw.ask('update', sent, cohort.asked.frame(delta))).message).toMatchObject({
        ok: true,
      });
      const participants = await world.get<Json[]>(`/api/runs/${cohort.run}/participants`);
      expect(participants).toHaveLength(4);
      for (const { speed } of participants) expect(speed).toSatisfy((v) => v === null || (v as number) >= 0);
      await deliverAll(cohort);
      await expectRight(cohort, {
        updates: [...honestUpdates(cohort.asked), honest(cohort.asked, 4)],
        bad: 'accepted',
      });
    },
  );

  it('a coordinator whose clock jumps by a year ends the round at once, with what has come', async () => {
    const cohort = await begin();
    await deliverAll(cohort);
    world.clock.advance(365 * 86_400_000);
    await expectRight(cohort, { bad: 'late' });
  });
});

describe('claims beside the update', () => {
  it('the largest losses that may be told leave the round its metrics', async () => {
    const cohort = await begin();
    const { delta, examples } = honest(cohort.asked, 4);
    const sent = {
      ...cohort.asked.update,
      examples,
      loss: 1e12,
      evaluation: { loss: -1e12, accuracy: 1, examples: 2 },
    };
    await cohort.bad.raw.ask('update', sent, cohort.asked.frame(delta));
    await deliverAll(cohort);
    await expectRight(cohort, {
      updates: [...honestUpdates(cohort.asked), honest(cohort.asked, 4)],
      bad: 'accepted',
    });
  });
});
