import { connect as connectTcp, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { frame, type Json, type RawParticipant } from '../conformance/raw-participant.ts';
import {
  beginRound,
  type Cohort,
  deliverAll,
  expectRight as expectRightFor,
  honestUpdates,
  refusal,
} from './cohort.ts';
import { type Asked, deliver, honest, type Someone, World } from './world.ts';

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

const begin = (plan: Json = {}) => beginRound(world, plan);
const expectRight = (cohort: Cohort, what: Parameters<typeof expectRightFor>[2]) =>
  expectRightFor(world, cohort, what);
const passDeadline = () => world.clock.advance(60_000);
const passGrace = () => world.clock.advance(5_000);

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
    ['random bytes', 'frame-invalid', (asked) => [asked.answer, noise(564)]],
    ['no bytes', 'frame-invalid', (asked) => [asked.answer, new Uint8Array(0)]],
    [
      'a truncated frame',
      'frame-invalid',
      (asked) => [asked.answer, asked.frame(flat(asked, 1)).subarray(0, -4)],
    ],
    [
      'half a header',
      'frame-invalid',
      (asked) => [asked.answer, asked.frame(flat(asked, 1)).subarray(0, 20)],
    ],
    [
      'a frame with a tail',
      'frame-invalid',
      (asked) => [asked.answer, Buffer.concat([asked.frame(flat(asked, 1)), noise(4)])],
    ],
    ['an oversized frame', 'frame-too-large', (asked) => [asked.answer, noise(1_100_000)]],
    [
      'a damaged frame',
      'frame-invalid',
      (asked) => [asked.answer, asked.frame(flat(asked, 1)).map((byte, i) => (i === 99 ? byte ^ 1 : byte))],
    ],
    ['a longer model', 'update-shape', (asked) => [asked.answer, asked.frame([...flat(asked, 1), 1])]],
    ['a scalar for all tensors', 'update-shape', (asked) => [asked.answer, asked.frame([1])]],
    [
      'another layout of the same length',
      'update-shape',
      (asked) => [asked.answer, frame(2, noise(16), flat(asked, 1))],
    ],
    [
      'the weights themselves',
      'update-shape',
      (asked) => [asked.answer, frame(1, asked.hash, asked.weights)],
    ],
    [
      'NaN',
      'update-not-finite',
      (asked) => [asked.answer, asked.frame([...flat(asked, 1).slice(1), Number.NaN])],
    ],
    ['an infinity', 'update-not-finite', (asked) => [asked.answer, asked.frame(flat(asked, Infinity))]],
    [
      'a negative infinity',
      'update-not-finite',
      (asked) => [asked.answer, asked.frame(flat(asked, -Infinity))],
    ],
    ['1e30', 'update-norm', (asked) => [asked.answer, asked.frame(flat(asked, 1e30))]],
    [
      'a step longer than the plan lets count',
      'update-norm',
      (asked) => [asked.answer, asked.frame(flat(asked, 1000))],
    ],
    ...(
      [
        [
          'a measurement on more examples than the plan counts',
          { held: { examples: 100_001, loss: 1, hits: 1 } },
        ],
        ['more hits than examples', { held: { examples: 2, loss: 1, hits: 3 } }],
        ['a part of a hit', { held: { examples: 2, loss: 1, hits: 0.5 } }],
        ['a loss beyond all means', { loss: 1e30 }],
        ['a measured loss below nothing', { held: { examples: 2, loss: -1, hits: 1 } }],
        ['another number of examples than it weighs', { weight: 6 }],
      ] as const
    ).map(
      ([name, claims]): Refused => [
        name,
        'update-measure',
        (asked) => [asked.answer, asked.frame(flat(asked, 1), claims)],
      ],
    ),
    [
      'a loss that is not a number',
      'update-not-finite',
      (asked) => [asked.answer, asked.frame(flat(asked, 1), { loss: Number.NaN })],
    ],
    ...(
      [
        ['training before time began', { milliseconds: -1 }],
        ['training for a million years', { milliseconds: 1e15 }],
      ] as const
    ).map(
      ([name, claim]): Refused => [
        name,
        'message-invalid',
        (asked) => [{ ...asked.answer, ...claim }, asked.frame(flat(asked, 1))],
      ],
    ),
    [
      'more examples than the plan counts',
      'update-examples',
      (asked) => [{ ...asked.answer, weight: 100_001 }, asked.frame(flat(asked, 1))],
    ],
    [
      'more examples than anybody may claim',
      'message-invalid',
      (asked) => [{ ...asked.answer, weight: 1e300 }, asked.frame(flat(asked, 1))],
    ],
    [
      'no examples',
      'message-invalid',
      (asked) => [{ ...asked.answer, weight: 0 }, asked.frame(flat(asked, 1))],
    ],
    [
      'a ticket that nobody gave out',
      'ticket-invalid',
      (asked) => [{ ...asked.answer, ticket: 't7-1.none' }, asked.frame(flat(asked, 1))],
    ],
    [
      'a ticket that was changed',
      'ticket-invalid',
      (asked) => [
        { ...asked.answer, ticket: `${asked.answer['ticket']}`.replace('t1-', 't7-') },
        asked.frame(flat(asked, 1)),
      ],
    ],
    [
      'a ticket that cannot be one',
      'message-invalid',
      (asked) => [{ ...asked.answer, ticket: 'two words' }, asked.frame(flat(asked, 1))],
    ],
    [
      'another run',
      'run-unknown',
      (asked) => [{ ...asked.answer, run: 'no-such-run' }, asked.frame(flat(asked, 1))],
    ],
  ];
  it.each(refused)('%s: %s', async (_, code, make) => {
    const cohort = await begin();
    const [update, bytes] = make(cohort.asked);
    const answer = (await cohort.bad.raw.ask('answer', update, bytes)).message;
    expect(answer).toEqual(refusal(code));
    await deliverAll(cohort);
    // What is wrong in itself is out at once; the rest may be sent again until the deadline.
    const out = [
      'update-shape',
      'update-not-finite',
      'update-norm',
      'update-examples',
      'update-measure',
      'frame-too-large',
    ].includes(code);
    if (!out) passDeadline();
    await expectRight(cohort, { bad: out ? 'refused' : 'late' });
  });

  it('a message without one of its fields', async () => {
    const cohort = await begin();
    const { answer } = cohort.asked;
    for (const field of Object.keys(answer)) {
      const { message } = await cohort.bad.raw.ask('answer', without(answer, field), cohort.asked.frame([1]));
      expect(message, field).toEqual(refusal('message-invalid'));
    }
    await deliverAll(cohort);
    passDeadline();
    await expectRight(cohort, { bad: 'late' });
  });

  it.each([
    ['no frame', (answer: Json) => answer],
    ['a number for a frame', (answer: Json) => ({ ...answer, frame: 5 })],
    ['a text for a frame', (answer: Json) => ({ ...answer, frame: 'CPF1' })],
    ['numbers for a frame', (answer: Json) => ({ ...answer, frame: [1, 2, 3] })],
    ['a field more', (answer: Json) => ({ ...answer, frame: 1, more: 1 })],
    ['nothing', () => null],
    ['a text', () => 'answer'],
    ['a list', () => []],
  ])('%s in place of a message', async (_, make) => {
    const cohort = await begin();
    const { message } = await cohort.bad.raw.ask('answer', make(cohort.asked.answer));
    expect(message).toEqual(refusal('message-invalid'));
    await deliverAll(cohort);
    passDeadline();
    await expectRight(cohort, { bad: 'late' });
  });

  it('a message that asks for no answer is named in a notice', async () => {
    const cohort = await begin();
    cohort.bad.raw.tell('answer', { nothing: true });
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
        raw.send('451-/participant,7["answer",{"frame":{"_placeholder":true,"num":0}}]');
        raw.send('hello');
      },
    ],
    [
      'more placeholders than frames',
      (raw) => {
        raw.send('451-/participant,7["answer",{"frame":{"_placeholder":true,"num":9}}]');
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

  it('two hellos at once: neither is heard', async () => {
    const cohort = await begin();
    const twice = world.silent('twice', { hellos: 2 });
    await twice.closed;
    expect(twice.log.join()).not.toContain('challenge');
    await deliverAll(cohort);
    passDeadline();
    await expectRight(cohort, { bad: 'late' });
  });

  it('an event that does not exist is named in a notice, whatever stands for its name', async () => {
    const cohort = await begin();
    cohort.bad.raw.tell('constructor', {});
    cohort.bad.raw.tell('__proto__', {});
    cohort.bad.raw.tell('no-such-event', {});
    cohort.bad.raw.send('42/participant,[7]');
    for (const name of ['constructor', '__proto__', 'no-such-event', '7'])
      expect((await cohort.bad.raw.event('notice')).message).toMatchObject({
        code: 'message-unknown',
        message: expect.stringContaining(`"${name}"`),
      });
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
      const { message } = await cohort.bad.raw.ask('answer', cohort.asked.answer, noise(40 + n));
      expect(message).toEqual(refusal('frame-invalid'));
    }
    expect((await cohort.bad.raw.event('notice')).message).toMatchObject({ code: 'too-many-offences' });
    await cohort.bad.raw.closed;
    await world.gone(cohort.run, 1);
    await deliverAll(cohort);
    passGrace();
    await expectRight(cohort, { bad: 'left' });
  });

  it('is not let in again by connecting anew, until one offence is forgiven; another with its habits is', async () => {
    const cohort = await begin({ deadlineSeconds: 600, graceSeconds: 0 });
    const { name } = cohort.bad;
    for (let n = 0; n < 19; n++) await cohort.bad.raw.ask('answer', cohort.asked.answer, noise(40 + n));
    await cohort.bad.raw.close();
    await world.gone(cohort.run, 1);
    const again = await world.connect(name);
    expect((await again.raw.ask('pull', {})).message).toEqual(refusal('message-invalid'));
    expect((await again.raw.event('notice')).message).toMatchObject({ code: 'too-many-offences' });
    await again.raw.closed;
    expect(await world.refused(name)).toMatchObject({
      code: 'too-many-offences',
      message: expect.stringContaining('60 s'),
    });
    world.clock.advance(59_000);
    expect(await world.refused(name)).toMatchObject({ message: expect.stringContaining('1 s') });
    world.clock.advance(1000);
    const back = await world.join(name, cohort.run);
    expect((await back.raw.ask('pull', { run: cohort.run })).message).toMatchObject({ ok: true });
    await deliverAll(cohort);
    await expectRight(cohort, { bad: 'left' });
  });

  it('repeating itself, with a ticket of another or its own, is answered each time and stays', async () => {
    const cohort = await begin();
    const [ticket] = [...(cohort.good[0] as Someone).tickets.values()];
    const taken = { ...cohort.asked.answer, ticket };
    for (let n = 0; n < 30; n++) {
      const frame = cohort.asked.frame(flat(cohort.asked, 1));
      expect((await cohort.bad.raw.ask('answer', taken, frame)).message).toEqual(refusal('ticket-invalid'));
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
    // The old numbers under the new ticket are an answer as good as any: the participant's own, once.
    const dressed = { ...second.asked.answer, weight: examples };
    const frame = cohort.asked.frame(delta, { weight: examples });
    const counted = { ok: true, value: { duplicate: false, next: null } };
    expect((await cohort.bad.raw.ask('answer', dressed, frame)).message).toEqual(counted);
    await deliverAll(second);
    await expectRight(second, {
      updates: [...honestUpdates(second.asked), { delta, examples }],
      bad: 'accepted',
    });
  });

  it('when another sends what it overheard, once it was counted or before', async () => {
    const cohort = await begin();
    const { raw } = cohort.good[0] as Someone;
    const { delta, examples } = honest(cohort.asked, 1);
    const [ticket] = [...(cohort.good[0] as Someone).tickets.values()];
    const overheard: Json = { ...cohort.asked.answer, ticket, weight: examples };
    const frame = cohort.asked.frame(delta, { weight: examples });
    expect((await raw.ask('answer', overheard, frame)).message).toMatchObject({ ok: true });
    // Its ticket is of no use to another; its numbers are the sender's own, counted for the sender, once.
    const thief = cohort.bad.raw;
    expect((await thief.ask('answer', overheard, frame)).message).toEqual(refusal('ticket-invalid'));
    const own = { ...overheard, ticket: cohort.asked.answer['ticket'] };
    expect((await thief.ask('answer', own, frame)).message).toEqual({
      ok: true,
      value: { duplicate: false, next: null },
    });
    expect((await thief.ask('answer', own, frame)).message).toEqual({
      ok: true,
      value: { duplicate: true, next: null },
    });
    for (const [i, one] of cohort.good.entries())
      expect((await deliver(one, cohort.asked, i + 1))['ok']).toBe(true);
    await expectRight(cohort, {
      updates: [...honestUpdates(cohort.asked), honest(cohort.asked, 1)],
      bad: 'accepted',
    });
  });

  it('and not from a stranger who recorded a whole connection and plays it back', async () => {
    const cohort = await begin();
    await deliverAll(cohort);
    const { raw, name } = cohort.good[0] as Someone;
    const sent = raw.log.filter((line) => line.startsWith('C ')).map((line) => line.slice(2));
    const stranger = world.silent(name);
    expect(await stranger.connected).toBeNull();
    for (const text of sent.filter((line) => /^42.*"(prove|join)"/.test(line))) stranger.send(text);
    await stranger.closed;
    expect(stranger.log.join()).toContain('identity-unproven');
    expect(stranger.log.join()).not.toContain('welcome');
    passDeadline();
    await expectRight(cohort, { bad: 'late' });
  });

  it('and not at all from one who is not in the run', async () => {
    const cohort = await begin();
    const stranger = await world.connect('stranger');
    expect(await deliver(stranger, cohort.asked, 9)).toEqual(refusal('not-joined'));
    // Nor from one who joined when the cohort was drawn already.
    const late = await world.join('too-late', cohort.run);
    expect(await deliver(late, cohort.asked, 9)).toEqual(refusal('ticket-invalid'));
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
    cohort.bad.raw.send('451-/participant,7["answer",{"frame":{"_placeholder":true,"num":0}}]');
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
    expect(asked).toMatchObject({ attempt: 2, checkpoint: cohort.asked.checkpoint });
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
    expect(old['error']).toMatchObject({ retry: 'with-current-model' });
    expect((await bad.raw.ask('pull', { run: cohort.run })).message).toMatchObject({
      value: { round: 1, checkpoint: second.asked.checkpoint },
    });
    await deliverAll(second);
    passDeadline();
    await expectRight(second, { bad: 'late' });
  });
});

describe('one that was away', () => {
  it('for two rounds, and sends what it made of the old model, is given the current one and the round', async () => {
    const cohort = await begin({ rounds: 3 });
    await cohort.bad.raw.close();
    await world.gone(cohort.run, 1);
    await deliverAll(cohort);
    passGrace();
    await expectRight(cohort, { bad: 'left' });
    // A round begins with four: somebody else takes part in the second.
    const other = await world.join('meanwhile', cohort.run);
    const [second] = await Promise.all([other, ...cohort.good].map((one) => world.asked(one)));
    const between: Cohort = { ...cohort, bad: other, asked: second as Asked };
    await other.raw.close();
    await world.gone(cohort.run, 2);
    await deliverAll(between);
    passGrace();
    await expectRight(between, { bad: 'left' });
    const bad = await world.join(cohort.bad.name, cohort.run);
    const [asked] = await Promise.all([bad, ...cohort.good].map((one) => world.asked(one)));
    const third: Cohort = { ...cohort, bad, asked: asked as Asked };
    expect(third.asked.round).toBe(3);
    const old = await deliver(bad, cohort.asked, 4);
    expect(old).toEqual(refusal('update-late'));
    expect(old['error']).toMatchObject({ retry: 'with-current-model' });
    expect((await bad.raw.ask('pull', { run: cohort.run })).message).toMatchObject({
      value: { round: 2, checkpoint: third.asked.checkpoint },
    });
    // The same work, dressed as the round's own.
    const { delta, examples } = honest(cohort.asked, 4);
    const ticket = `${cohort.asked.answer['ticket']}`.replace('t1-', 't3-');
    const dressed = { ...cohort.asked.answer, ticket, weight: examples };
    expect((await bad.raw.ask('answer', dressed, cohort.asked.frame(delta))).message).toEqual(
      refusal('ticket-invalid'),
    );
    // And still it may do the round as it should be done.
    expect(await deliver(bad, third.asked, 4)).toEqual({ ok: true, value: { duplicate: false, next: null } });
    await deliverAll(third);
    const updates = [...honestUpdates(third.asked), honest(third.asked, 4)];
    await expectRight(third, { updates, bad: 'accepted' });
  });
});

describe('clocks', () => {
  const HOUR = 3_600_000;
  it.each([-24 * HOUR, -HOUR, HOUR, 24 * HOUR])(
    'a coordinator whose date is set by %s ms in the midst of a round ends it when it would have, once',
    async (milliseconds) => {
      const cohort = await begin();
      const before = await world.get<Json>(`/api/runs/${cohort.run}`);
      world.clock.advance(20_000);
      world.clock.jump(milliseconds);
      // The deadline moves with the date, so that what is left of it stays.
      expect((await world.get<Json>(`/api/runs/${cohort.run}`))['deadlineAt']).toBe(
        (before['deadlineAt'] as number) + milliseconds,
      );
      await cohort.bad.raw.close();
      await world.gone(cohort.run, 1);
      // Who comes back is told what is left, whatever the dates say here and there.
      const bad = await world.join(cohort.bad.name, cohort.run);
      expect((await bad.raw.event('ask')).message).toMatchObject({ remaining: 40_000 });
      await deliverAll(cohort);
      world.clock.advance(39_999);
      const open = await world.get<Json>(`/api/runs/${cohort.run}`);
      expect(open).toMatchObject({ phase: 'collect' });
      world.clock.advance(1);
      await expectRight({ ...cohort, bad }, { bad: 'late' });
      const [round = {}] = await world.get<Json[]>(`/api/runs/${cohort.run}/rounds`);
      expect((round['endedAt'] as number) - (round['startedAt'] as number)).toBe(60_000);
      for (const { milliseconds: took } of round['cohort'] as { milliseconds: number | null }[])
        expect(took).toSatisfy((value) => value === null || (value >= 0 && value <= 60_000));
    },
  );

  it.each([-24 * HOUR, 24 * HOUR])(
    'tokens and sessions of admins outlive a date that is set by %s ms and back',
    async (milliseconds) => {
      const { token } = await world.post<{ token: string }>('/api/tokens', {
        name: `clock ${milliseconds}`,
        scopes: ['runs:read'],
        days: 30,
      });
      const whoami = () =>
        fetch(`${world.url}/api/runs`, { headers: { authorization: `Bearer ${token}` } }).then(
          ({ status }) => status,
        );
      expect(await whoami()).toBe(200);
      world.clock.jump(milliseconds);
      expect(await whoami()).toBe(200);
      world.clock.jump(-milliseconds);
      expect(await whoami()).toBe(200);
    },
  );

  it.each([0, 5e-324, 7 * 86_400_000])(
    'a device that says it trained for %s ms is counted as any other',
    async (milliseconds) => {
      const cohort = await begin();
      const { delta, examples } = honest(cohort.asked, 4);
      const sent = { ...cohort.asked.answer, weight: examples, milliseconds };
      const frame = cohort.asked.frame(delta, { weight: examples });
      expect((await cohort.bad.raw.ask('answer', sent, frame)).message).toMatchObject({ ok: true });
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

  it('a coordinator that was suspended for a year ends the round at once, with what has come', async () => {
    const cohort = await begin();
    await deliverAll(cohort);
    world.clock.advance(365 * 86_400_000);
    await expectRight(cohort, { bad: 'late' });
  });
});

describe('claims beside the update', () => {
  it('weigh what is claimed at most: the round’s metrics are the mean over all examples', async () => {
    const cohort = await begin({ maxExamples: 10 });
    const { delta } = honest(cohort.asked, 4);
    const answer = { ...cohort.asked.answer, weight: 10 };
    // The largest loss that may be told of ten examples of a classification.
    const claims = { weight: 10, loss: 10_240, held: { examples: 10, loss: 10_240, hits: 10 } };
    const frame = cohort.asked.frame(delta, claims);
    expect(
      (await cohort.bad.raw.ask('answer', { ...answer, milliseconds: 604_800_001 }, frame)).message,
    ).toEqual(refusal('message-invalid'));
    expect((await cohort.bad.raw.ask('answer', answer, frame)).message).toMatchObject({ ok: true });
    await deliverAll(cohort);
    const updates = [...honestUpdates(cohort.asked), { delta, examples: 10 }];
    await expectRight(cohort, { updates, bad: 'accepted' });
    const [round] = await world.get<Json[]>(`/api/runs/${cohort.run}/rounds`);
    // Three tell 0.9 with 4, 5 and 6 examples, and one 1024 with 10.
    expect(round?.['trainingLoss']).toBeCloseTo((0.9 * 15 + 10_240) / 25, 6);
  });
});
