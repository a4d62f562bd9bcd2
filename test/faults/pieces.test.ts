import { connect as connectTcp } from 'node:net';
import { io } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tensor } from '../conformance/raw-contribution.ts';
import { keysOf } from '../conformance/raw-identity.ts';
import {
  aggregate,
  fetchPieces,
  type Json,
  PIECE,
  type RawParticipant,
  sendInPieces,
  sendPiece,
  weightsHash,
} from '../conformance/raw-participant.ts';
import {
  aggregateMany,
  answerFrame,
  differences,
  type LargeAsked,
  LargeWorld,
  nameOfNext,
  weightsOf,
} from './large-world.ts';
import { PROTOCOL } from './world.ts';

/* A model of 8 MB, whose frames travel in pieces: two people, of whom the second does what it should not. */
let world: LargeWorld;

beforeAll(async () => {
  world = await LargeWorld.begin(2000);
});
afterAll(() => world.end());

const PLAN = {
  minParticipants: 2,
  quorum: 0.5,
  overSelection: 1,
  rounds: 1,
  deadlineSeconds: 60,
  graceSeconds: 5,
  maxNorm: null,
};

interface Two {
  readonly run: string;
  readonly one: RawParticipant;
  readonly other: RawParticipant;
  /** The question as it came to one, and to the other. */
  readonly asked: LargeAsked;
  readonly askedOther: LargeAsked;
  readonly weights: Float32Array;
}

let cases = 0;

async function begin(plan: Json = {}): Promise<Two> {
  const run = await world.launch({ ...PLAN, ...plan });
  const name = `pieces-${++cases}`;
  const one = await world.join(`${name}-one`, run);
  const other = await world.join(`${name}-other`, run);
  const asked = await world.asked(one);
  const askedOther = await world.asked(other);
  const weights = await weightsOf(one.raw, asked);
  return { run, one: one.raw, other: other.raw, asked, askedOther, weights };
}

const counted = { ok: true, value: { duplicate: false, next: null } };
const refusal = (code: string) =>
  expect.objectContaining({ ok: false, error: expect.objectContaining({ code }) });
const next = (piece: number) => ({ ok: true, value: { duplicate: false, next: piece } });
const headerOf = (frame: Uint8Array) => frame.subarray(0, 40);

async function announce(raw: RawParticipant, asked: LargeAsked, frame: Uint8Array): Promise<Json> {
  return (await raw.ask('answer', asked.answer, headerOf(frame))).message;
}

describe('a model larger than a piece', () => {
  it('is fetched, and its updates sent, in pieces; the next one is right to the bit', async () => {
    const { run, one, other, asked, askedOther, weights } = await begin();
    expect(asked.header.byteLength).toBe(40);
    expect(weights.length).toBe(2_004_001);
    const deltas = [differences(weights.length, 1), differences(weights.length, 2)] as const;
    const sent = [
      { delta: deltas[0], examples: 5 },
      { delta: deltas[1], examples: 7 },
    ];
    // The oracle for many numbers agrees with the one in whole numbers of any size.
    expect([
      ...aggregateMany(
        weights.subarray(0, 500),
        sent.map(({ delta, ...rest }) => ({ ...rest, delta: delta.subarray(0, 500) })),
      ),
    ]).toEqual(
      aggregate(
        [...weights.subarray(0, 500)],
        sent.map(({ delta, examples }) => ({ delta: [...delta.subarray(0, 500)], examples })),
      ),
    );
    const first = await sendInPieces(one, asked.answer, answerFrame(asked, deltas[0]));
    expect(first).toEqual({ answer: counted, sent: [0, 1, 2, 3, 4, 5, 6, 7] });
    const again = await one.ask('answer', asked.answer, headerOf(answerFrame(asked, deltas[0])));
    expect(again.message).toEqual({ ok: true, value: { duplicate: true, next: null } });
    const second = await sendInPieces(
      other,
      { ...askedOther.answer, weight: 7 },
      answerFrame(asked, deltas[1], 7),
    );
    expect(second.answer).toEqual(counted);
    const checkpoint = nameOfNext(weights, sent);
    expect((await one.event('round-end')).message).toMatchObject({
      outcome: 'committed',
      accepted: 2,
      checkpoint,
    });
    expect(world.parts()).toBe(0);

    // The run is over: its last model is fetched the same way, to be measured or used.
    const pulled = await one.ask('pull', { run });
    expect(pulled.message).toMatchObject({ ok: true, value: { round: 1, checkpoint } });
    const last = await fetchPieces(other, run, checkpoint, pulled.frame as Uint8Array);
    expect(Buffer.compare(last.subarray(40), new Uint8Array(aggregateMany(weights, sent).buffer))).toBe(0);
    const gone = await one.ask('parcel', { run, hash: asked.checkpoint, piece: 0 });
    expect(gone.message).toEqual(refusal('checkpoint-unknown'));
    const beyond = await one.ask('parcel', { run, hash: checkpoint, piece: 8 });
    expect(beyond.message).toEqual(refusal('message-invalid'));
  });

  it('goes through long polling, where a piece is base64 in one body', async () => {
    const run = await world.launch({ ...PLAN, minParticipants: 1 });
    const keys = keysOf('polling');
    const socket = io(`${world.url}/participant`, {
      transports: ['polling'],
      upgrade: false,
      auth: { protocol: PROTOCOL, key: keys.key },
    });
    const event = <T>(name: string) => new Promise<T>((resolve) => socket.once(name, resolve));
    const welcome = event('welcome');
    const starting = event<{ ticket: string; parcels: { hash: string; frame: Uint8Array }[] }>('ask');
    const ending = event<Json>('round-end');
    const { nonce } = await event<{ nonce: string }>('challenge');
    await socket.emitWithAck('prove', { signature: keys.prove(new URL(world.url).host, nonce) });
    await welcome;
    const joined = (await socket.emitWithAck('join', {
      run,
      device: 'headless',
      backend: 'none',
      examples: 10,
      speed: null,
      paused: false,
    })) as { value: { answers: { train: Tensor[] } } };
    const { ticket, parcels } = await starting;
    const { hash, frame: header } = parcels[0] as (typeof parcels)[number];
    const weights = new Float32Array(Buffer.from(header).readUInt32LE(28) / 4);
    const bytes = new Uint8Array(weights.buffer);
    for (let piece = 0; piece * PIECE < bytes.byteLength; piece++) {
      const { value } = await socket.emitWithAck('parcel', { run, hash, piece });
      bytes.set(value.bytes, piece * PIECE);
    }
    expect(weightsHash(bytes)).toBe(hash);
    const delta = differences(weights.length, 9);
    const frame = answerFrame({ layout: joined.value.answers.train }, delta);
    const announcement = { run, ticket, weight: 5, milliseconds: 12, frame: headerOf(frame) };
    expect(await socket.emitWithAck('answer', announcement)).toEqual(next(0));
    for (let piece = 0; piece < 8; piece++) {
      const content = frame.subarray(40 + piece * PIECE, 40 + (piece + 1) * PIECE);
      const answer = await socket.emitWithAck('answer-piece', { run, ticket, piece, bytes: content });
      expect(answer).toEqual({ ok: true, value: { next: piece + 1 } });
    }
    expect(await socket.emitWithAck('answer', announcement)).toEqual(counted);
    expect(await ending).toMatchObject({
      outcome: 'committed',
      checkpoint: nameOfNext(weights, [{ delta, examples: 5 }]),
    });
    socket.disconnect();
  });

  it('goes on after a lost connection with the piece that is missing', async () => {
    const { run, one, other, asked, askedOther, weights } = await begin();
    const deltas = [differences(weights.length, 3), differences(weights.length, 4)] as const;
    const frame = answerFrame(asked, deltas[1]);
    expect(await announce(other, askedOther, frame)).toEqual(next(0));
    for (const piece of [0, 1, 2]) await sendPiece(other, askedOther.answer, frame, piece);
    await other.close();
    await world.gone(run, 1);
    const back = await world.join(`pieces-${cases}-other`, run);
    await world.asked(back);
    expect((await sendInPieces(back.raw, askedOther.answer, frame)).sent).toEqual([3, 4, 5, 6, 7]);
    await sendInPieces(one, asked.answer, answerFrame(asked, deltas[0]));
    expect((await one.event('round-end')).message).toMatchObject({
      accepted: 2,
      checkpoint: nameOfNext(
        weights,
        deltas.map((delta) => ({ delta, examples: 5 })),
      ),
    });
  });
});

describe('what is wrong with pieces is refused by name and counted nowhere', () => {
  type Wrong = [string, (two: Two, frame: Uint8Array) => Promise<void>];
  const announced = async ({ other, askedOther }: Two, frame: Uint8Array) =>
    expect(await announce(other, askedOther, frame)).toEqual(next(0));
  const piece = async ({ other, askedOther }: Two, frame: Uint8Array, n: number) =>
    (await sendPiece(other, askedOther.answer, frame, n)).message;
  const bytes = async ({ other, askedOther }: Two, content: Uint8Array, n: number) => {
    const { run, ticket } = askedOther.answer;
    return (await other.ask('answer-piece', { run, ticket, piece: n }, content, 'bytes')).message;
  };
  const arrived = (n: number) => ({ ok: true, value: { next: n } });
  const wrong: Wrong[] = [
    [
      'a piece that nobody announced',
      async (two, frame) => expect(await piece(two, frame, 0)).toEqual(refusal('update-not-offered')),
    ],
    [
      'a piece before its turn; the one whose turn it is still counts',
      async (two, frame) => {
        await announced(two, frame);
        expect(await piece(two, frame, 1)).toEqual(refusal('message-invalid'));
        expect(await piece(two, frame, 0)).toEqual(arrived(1));
      },
    ],
    [
      'a piece again, which is no harm',
      async (two, frame) => {
        await announced(two, frame);
        for (const n of [0, 1]) await piece(two, frame, n);
        expect(await bytes(two, new Uint8Array(PIECE).fill(9), 0)).toEqual(arrived(2));
      },
    ],
    [
      'pieces of another length, and after the last',
      async (two, frame) => {
        await announced(two, frame);
        expect(await bytes(two, new Uint8Array(PIECE - 4), 0)).toEqual(refusal('message-invalid'));
        expect(await bytes(two, new Uint8Array(PIECE + 4), 0)).toEqual(refusal('message-invalid'));
        expect(await bytes(two, new Uint8Array(0), 0)).toEqual(refusal('message-invalid'));
        for (let n = 0; n < 8; n++) await piece(two, frame, n);
        expect(await bytes(two, new Uint8Array(PIECE), 8)).toEqual(refusal('message-invalid'));
      },
    ],
    [
      'more pieces at once than a window',
      async (two, frame) => {
        await announced(two, frame);
        const answers = await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map((n) => piece(two, frame, n)));
        expect(answers.filter(({ ok }) => ok === true).length).toBeGreaterThanOrEqual(4);
      },
    ],
    [
      'an announcement of another model',
      async ({ other, askedOther }, _frame) => {
        const longer = answerFrame(askedOther, new Float32Array(3_000_000));
        expect(await announce(other, askedOther, longer)).toEqual(refusal('update-shape'));
      },
    ],
    [
      'an announcement of more bytes than the model has',
      async ({ other, askedOther }, frame) => {
        const header = Buffer.from(headerOf(frame));
        header.writeUInt32LE(4_000_000_000, 28);
        header.writeUInt32LE((await import('node:zlib')).crc32(header.subarray(0, 36)), 36);
        expect(await announce(other, askedOther, header)).toEqual(refusal('frame-invalid'));
      },
    ],
    [
      'an announcement, and a piece, with the ticket of another',
      async (two, frame) => {
        const { other, asked } = two;
        expect(await announce(other, asked, frame)).toEqual(refusal('ticket-invalid'));
        await announced(two, frame);
        expect((await sendPiece(other, asked.answer, frame, 0)).message).toEqual(refusal('ticket-invalid'));
      },
    ],
    [
      'a frame of more than a piece in one message',
      async ({ other, askedOther, weights }, _frame) => {
        const whole = answerFrame(askedOther, weights.subarray(0, 300_000));
        expect((await other.ask('answer', askedOther.answer, whole)).message).toEqual(
          refusal('frame-too-large'),
        );
      },
    ],
    [
      'pieces that stop coming',
      async (two, frame) => {
        await announced(two, frame);
        for (const n of [0, 1, 2]) await piece(two, frame, n);
        expect(world.parts()).toBe(1);
      },
    ],
  ];

  it.each(wrong)('%s', async (_what, act) => {
    const two = await begin();
    const { one, asked, weights } = two;
    const delta = differences(weights.length, 5);
    await act(two, answerFrame(asked, differences(weights.length, 6)));
    expect((await sendInPieces(one, asked.answer, answerFrame(asked, delta))).answer).toEqual(counted);
    world.clock.advance(60_000);
    expect((await one.event('round-end')).message).toMatchObject({
      outcome: 'committed',
      accepted: 1,
      checkpoint: nameOfNext(weights, [{ delta, examples: 5 }]),
    });
    expect(await partsGone()).toBe(0);
  });

  it('a payload that is not the announced one, which may be sent again', async () => {
    const two = await begin();
    const { one, other, asked, askedOther, weights } = two;
    const delta = differences(weights.length, 7);
    const frame = answerFrame(asked, delta);
    const damaged = Buffer.from(frame);
    damaged[3 * PIECE + 60] = (damaged[3 * PIECE + 60] as number) ^ 1;
    expect((await sendInPieces(other, askedOther.answer, damaged)).answer).toEqual(refusal('frame-invalid'));
    expect(await sendInPieces(other, askedOther.answer, frame)).toEqual({
      answer: counted,
      sent: [0, 1, 2, 3, 4, 5, 6, 7],
    });
    await sendInPieces(one, asked.answer, frame);
    expect((await one.event('round-end')).message).toMatchObject({
      accepted: 2,
      checkpoint: nameOfNext(weights, [
        { delta, examples: 5 },
        { delta, examples: 5 },
      ]),
    });
  });

  it.each([
    ['leaving', async ({ other, run }: Two) => void (await other.ask('leave', { run }))],
    [
      'going away for longer than the grace',
      async ({ other, run }: Two) => {
        await other.close();
        await world.gone(run, 1);
        world.clock.advance(5_000);
      },
    ],
  ])('%s gives back what was half sent', async (_what, go) => {
    const two = await begin();
    const frame = answerFrame(two.asked, differences(two.weights.length, 8));
    await announced(two, frame);
    await piece(two, frame, 0);
    expect(world.parts()).toBe(1);
    await go(two);
    expect(await partsGone()).toBe(0);
    expect((await sendInPieces(two.one, two.asked.answer, frame)).answer).toEqual(counted);
    expect((await two.one.event('round-end')).message).toMatchObject({ outcome: 'committed', accepted: 1 });
  });
});

/** Files are removed behind the scenes: waits for the file system, not for the clock. */
async function partsGone(): Promise<number> {
  for (let turn = 0; turn < 10_000 && world.parts() > 0; turn++) await new Promise(setImmediate);
  return world.parts();
}

describe('what is sent before it is known whose it is', () => {
  /** A WebSocket by hand, to send less than it says. */
  function webSocket(): Promise<{ write(bytes: Uint8Array): void; closed: Promise<void>; end(): void }> {
    return new Promise((resolve, reject) => {
      const { port, host } = new URL(world.url);
      const socket = connectTcp(Number(port), '127.0.0.1', () => {
        socket.write(
          `GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\n\r\n`,
        );
      });
      socket.on('error', reject);
      const closed = new Promise<void>((done) => socket.once('close', () => done()));
      socket.once('data', () =>
        resolve({ write: (bytes) => void socket.write(bytes), closed, end: () => void socket.destroy() }),
      );
    });
  }
  /** The head of a binary WebSocket message of so many bytes, masked with zeros. */
  const head = (bytes: number) => {
    const made = Buffer.alloc(14);
    made[0] = 0x82;
    made[1] = 0xff;
    made.writeBigUInt64BE(BigInt(bytes), 2);
    return made;
  };

  it('a message above the limit is refused at its head, before its bytes', async () => {
    const socket = await webSocket();
    socket.write(head(2_000_000));
    await socket.closed;
  });

  it('a stranger gets no further than 64 KiB into one below it', async () => {
    const socket = await webSocket();
    socket.write(head(PIECE));
    socket.write(Buffer.alloc(70_000));
    await socket.closed;
  });

  it('a stranger’s POST of more than 64 KiB is refused unread', async () => {
    const at = `${world.url}/socket.io/?EIO=4&transport=polling`;
    const { sid } = JSON.parse((await (await fetch(at)).text()).slice(1)) as { sid: string };
    const post = (length: number) =>
      fetch(`${at}&sid=${sid}`, {
        method: 'POST',
        headers: { 'content-type': 'text/plain;charset=UTF-8' },
        body: `4${'2'.repeat(length)}`,
      });
    expect((await post(70_000)).status).toBe(413);
  });

  it('a message with more than one binary part ends the connection', async () => {
    const run = await world.launch({ ...PLAN, minParticipants: 3 });
    const { raw } = await world.join('two-parts', run);
    raw.send(`452-/participant,1${JSON.stringify(['pull', { run, frame: { _placeholder: true, num: 0 } }])}`);
    await raw.closed;
  });
});
