import { type Coordinator, memorySpool, memoryStorage, startCoordinator } from '@coppice/coordinator';
import type { CreateTask } from '@coppice/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWithWeights } from '../given-weights.ts';
import { contributionFrame, type Encoder, measureSum, type Tensor } from './raw-contribution.ts';
import { type Keys, keysFrom, keysOf } from './raw-identity.ts';
import {
  aggregate,
  decodeInt8,
  encodeInt8,
  fetchOverHttp,
  fetchPieces,
  frame,
  type Json,
  layoutHash,
  payload,
  RawParticipant,
  type Spec,
  sendInPieces,
  sendPiece,
  weightsHash,
  wholeModel,
} from './raw-participant.ts';
import { type RawData, recipeHash } from './raw-recipe.ts';

let coordinator: Coordinator;
const open: RawParticipant[] = [];

beforeAll(async () => {
  coordinator = await startCoordinator({
    config: { port: 0, adminKey: 'a-key-for-tests', logLevel: 'silent' },
    storage: memoryStorage(),
    spool: memorySpool(),
  });
});
afterAll(async () => {
  await Promise.all(open.map((participant) => participant.close()));
  await coordinator.close();
});

function connect(auth: Json, keys?: Keys): RawParticipant {
  const participant = new RawParticipant(coordinator.url, auth, keys);
  open.push(participant);
  return participant;
}

/** What this client can do beyond the least, as docs/plan.md names it. */
const features = ['codec:int8', 'form:steps', 'role:frozen', 'strategy:scaffold'];
const connectAs = (keys: Keys) => connect({ protocol: 4, key: keys.key, features }, keys);

async function post(path: string, body: Json): Promise<Json> {
  const response = await fetch(`${coordinator.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer a-key-for-tests' },
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(201);
  return (await response.json()) as Json;
}

/** Launches a run. The changes of these tests are longer than a first round's bound, which would scale them down. */
async function launch(plan: Json, { admission = 'open', task = 'iris' } = {}): Promise<string> {
  const whole = { firstNorm: null, ...plan };
  return (await post('/api/runs', { task, plan: whole, start: true, admission }))['id'] as string;
}

/** A task whose model has more than 1 MiB: 300,000 weights between 600 columns and 500 units, and some more. */
const postLargeTask = () => postTask('large', { columns: 600, units: 500 });

/** Makes a task of two classes with one hidden layer, where it is not there yet. */
async function postTask(
  id: string,
  {
    columns,
    units,
    hidden = {},
    data = {},
    more = {},
  }: { columns: number; units: number; hidden?: Json; data?: Json; more?: Json },
): Promise<void> {
  if ((await fetch(`${coordinator.url}/api/tasks/${id}`)).ok) return;
  const dense = (name: string, units: number, more: Json) => ({
    class_name: 'Dense',
    config: { name, units, ...more },
  });
  const task = {
    id,
    title: { en: id },
    description: { en: 'A model of a test.' },
    data: {
      kind: 'table',
      features: Array.from({ length: columns }, (_, i) => ({ name: `x${i}` })),
      target: { kind: 'class', name: 'y', classes: ['a', 'b'] },
      ...data,
    },
    model: {
      class_name: 'Sequential',
      config: {
        name: id,
        layers: [
          dense('hidden', units, { activation: 'relu', batch_input_shape: [null, columns], ...hidden }),
          'target' in data ? dense('out', 1, {}) : dense('out', 2, { activation: 'softmax' }),
        ],
      },
    },
    loss: 'target' in data ? 'meanSquaredError' : 'categoricalCrossentropy',
    // Left out, a new task measures what fits its data, which takes a capability.
    metrics: [],
    ...more,
  };
  if (hidden['trainable'] !== false) await post('/api/tasks', task);
  else await createWithWeights(coordinator, task as unknown as CreateTask);
}

interface InRound {
  readonly raw: RawParticipant;
  /** Of the model. */
  readonly hash: Buffer;
  readonly weights: number[];
  readonly answers: { readonly train: Tensor[]; readonly evaluate: Tensor[] };
  readonly ask: Ask;
  /** All fields of an answer but its frame. */
  readonly answer: Json;
}

interface Ask extends Json {
  readonly kind: string;
  readonly ticket: string;
  readonly parcels: readonly [
    { readonly name: string; readonly hash: string; readonly base?: string; readonly frame: Uint8Array },
  ];
}

/** A question about a model of which a part is frozen. */
interface PartsAsk {
  readonly ticket: string;
  readonly parcels: readonly [
    { readonly hash: string; readonly moving: string; readonly frame: Uint8Array },
    { readonly hash: string; readonly frame: Uint8Array },
  ];
}

/** A frame that came, or whose header came alone. */
const fetchWhole = async (raw: RawParticipant, run: string, hash: string, frame: Uint8Array) =>
  frame.byteLength === 40 ? await fetchPieces(raw, run, hash, frame) : frame;

/** Connects and joins; resolves when the question has come. @param has `join`'s word of a model that is kept. */
async function enter(name: string, run: string, examples: number, has: Json = {}): Promise<InRound> {
  const raw = connectAs(keysOf(name));
  expect(await raw.connected).toBeNull();
  await raw.event('welcome');
  const joined = await raw.ask('join', {
    run,
    device: 'headless',
    backend: 'none',
    examples,
    speed: null,
    paused: false,
    ...has,
  });
  expect(joined.message).toMatchObject({ ok: true });
  const { layout, answers } = joined.message['value'] as { layout: Spec[]; answers: InRound['answers'] };
  const ask = (await raw.event('ask')).message as Ask;
  expect(ask).toMatchObject({ run, kind: 'train', attempt: 1, given: {} });
  const [model] = ask.parcels;
  expect(model.name).toBe('model');
  const hash = layoutHash(layout);
  const whole = await fetchWhole(raw, run, model.hash, model.frame);
  const weights = payload(whole);
  expect(Buffer.compare(whole, frame(1, hash, weights))).toBe(0);
  expect(weightsHash(whole.subarray(40))).toBe(model.hash);
  const answer = { run, ticket: ask.ticket, weight: examples, milliseconds: 12 };
  return { raw, hash, weights, answers, ask, answer };
}

/** Held-out measures of a model that knows nothing: two examples, one of them right. */
const held = {
  'held/examples': [2],
  'held/loss': [2.2],
  'held/loss-examples': [2],
  'held/hits': [1],
  'held/class-examples': [1, 0, 1],
  'held/class-hits': [1, 0, 0],
};

/** The frame of an answer to `train`. */
function trained(
  { answers, answer }: Pick<InRound, 'answers' | 'answer'>,
  delta: readonly number[],
  {
    encoder,
    ...measures
  }: { encoder?: Encoder } & Record<string, readonly number[] | Encoder | undefined> = {},
): Uint8Array {
  const examples = answer['weight'] as number;
  return contributionFrame(
    answers.train,
    {
      model: delta,
      'train/examples': [examples],
      'train/loss': [0.9 * examples],
      'train/loss-examples': [examples],
      ...held,
      ...(measures as Record<string, readonly number[]>),
    },
    encoder,
  );
}

async function get(path: string): Promise<unknown> {
  const response = await fetch(`${coordinator.url}${path}`, {
    headers: { authorization: 'Bearer a-key-for-tests' },
  });
  return response.json();
}

/** Differences of any size and sign, none of them round. */
const difference = (length: number, seed: number) =>
  Array.from({ length }, (_, i) => Math.fround(Math.sin(seed + i * 1.7) * 10 ** ((i % 9) - 7)));

describe('a participant written from docs/protocol.md', () => {
  it.each([
    [{ protocol: 1, secret: '00'.repeat(32) }, 'protocol-too-old'],
    [{ protocol: 3, key: keysOf('old').key }, 'protocol-too-old'],
    [{ protocol: 99, key: keysOf('new').key }, 'protocol-too-new'],
    [{ protocol: 4, key: 'short' }, 'identity-invalid'],
    [{ protocol: 4, key: 'A'.repeat(87) }, 'identity-invalid'],
    [{ protocol: 4, key: `B${'A'.repeat(86)}` }, 'identity-invalid'],
    [{ protocol: 4.5, key: keysOf('part').key }, 'identity-invalid'],
  ])('is refused by name: %j', async (auth, code) => {
    expect(await connect(auth).connected).toMatchObject({
      code,
      message: expect.any(String),
      retry: expect.any(String),
    });
  });

  it('of a newer version is spoken to in the coordinator’s', async () => {
    const keys = keysOf('newer');
    const auth = { protocol: 99, oldest: 4, features: ['of-a-newer-version'], key: keys.key, more: 1 };
    const raw = connect(auth, keys);
    expect((await raw.event('welcome')).message).toMatchObject({ protocol: 4 });
  });

  it('is told when the coordinator does not know a message, and goes on', async () => {
    const raw = connectAs(keysOf('curious'));
    await raw.event('welcome');
    const unknown = { code: 'message-unknown', message: expect.any(String), retry: 'never' };
    expect((await raw.ask('tomorrow', { run: 'none' })).message).toEqual({ ok: false, error: unknown });
    raw.tell('tomorrow', {});
    expect((await raw.event('notice')).message).toEqual(unknown);
    const { message } = await raw.ask('pull', { run: 'no-such-run' });
    expect(message).toMatchObject({ error: { code: 'run-unknown', retry: 'never' } });
  });

  it('is told how long it must wait after too many messages that cannot be used', async () => {
    const keys = keysOf('careless');
    const raw = connectAs(keys);
    await raw.event('welcome');
    // A moment's forgiveness is between them, so 20 may be one too few.
    for (let n = 0; n < 22; n++) void raw.ask('pull', { run: 'No Run' });
    const told = {
      code: 'too-many-offences',
      message: expect.any(String),
      retry: 'later',
      retryAfter: expect.any(Number),
    };
    const { message } = await raw.event('notice');
    expect(message).toEqual(told);
    // One is forgiven a minute.
    expect(message['retryAfter']).toBeGreaterThan(0);
    expect(message['retryAfter']).toBeLessThanOrEqual(60_000);
    await raw.closed;
    expect(await connectAs(keys).connected).toEqual(told);
  });

  it('is known by the hash of its key, and one connection at a time is its own', async () => {
    const keys = keysFrom(Buffer.from('00112233445566778899aabbccddeeff'.repeat(2), 'hex'));
    expect(keys.key).toBe(
      'BHmJU-foE0_fPBOfY9P7zMJSootspQWeYYN0qBIxJA8_yDJnrscl4YtmF2w2hdElcgGmcDOBlYWiKiljUBWa5ws',
    );
    const first = connectAs(keys);
    const { message } = await first.event('welcome');
    expect(message).toMatchObject({ protocol: 4, participant: 'd4b6022caab19a20ef24119faf1a64a2' });
    const second = connectAs(keys);
    await second.event('welcome');
    expect((await first.event('notice')).message).toMatchObject({ code: 'session-replaced' });
    await first.closed;
  });

  describe('must prove its key', () => {
    const victim = keysOf('victim');
    const unproven = {
      ok: false,
      error: { code: 'identity-unproven', message: expect.any(String), retry: 'never' },
    };
    const claim = async () => {
      const raw = connect({ protocol: 4, key: victim.key });
      const nonce = (await raw.event('challenge')).message['nonce'] as string;
      return { raw, nonce, host: new URL(coordinator.url).host };
    };
    const proof = async (raw: RawParticipant, signature: string) => {
      const { message } = await raw.ask('prove', { signature });
      return message;
    };

    it('with that key and no other', async () => {
      const { raw, nonce, host } = await claim();
      expect(await proof(raw, keysOf('thief').prove(host, nonce))).toEqual(unproven);
      await raw.closed;
    });

    it('anew at each connection: what was signed for one is worth nothing on another', async () => {
      const before = await claim();
      const recorded = victim.prove(before.host, before.nonce);
      expect(await proof(before.raw, recorded)).toEqual({ ok: true, value: null });
      await before.raw.event('welcome');
      const { raw, nonce } = await claim();
      expect(nonce).not.toBe(before.nonce);
      expect(await proof(raw, recorded)).toEqual(unproven);
      await raw.closed;
      // Whom it was meant to replace is still there.
      const { message } = await before.raw.ask('pull', { run: 'no-such-run' });
      expect(message).toMatchObject({ error: { code: 'run-unknown' } });
    });

    it('to this coordinator: a signature lured out by another address is worth nothing here', async () => {
      const { raw, nonce } = await claim();
      expect(await proof(raw, victim.prove('elsewhere.example', nonce))).toEqual(unproven);
      await raw.closed;
    });

    it('in the form of the page', async () => {
      const { raw } = await claim();
      expect(await proof(raw, 'a word')).toMatchObject({ ok: false, error: { code: 'message-invalid' } });
      await raw.closed;
    });

    it('before anything else is heard', async () => {
      const { raw, nonce, host } = await claim();
      let answered = false;
      void raw.ask('pull', { run: 'no-such-run' }).then(() => {
        answered = true;
      });
      expect(await proof(raw, victim.prove(host, nonce))).toEqual({ ok: true, value: null });
      await raw.event('welcome');
      // Messages of one connection are answered in order, so an answer to the first would be here by now.
      await raw.ask('pull', { run: 'no-such-run' });
      expect(answered).toBe(false);
    });
  });

  it('trains in a round and foretells the next model, bit for bit', async () => {
    const run = await launch({ minParticipants: 3, rounds: 1, overSelection: 1 });
    const [a, b, c] = (await Promise.all([
      enter('a', run, 10),
      enter('b', run, 7),
      enter('c', run, 1000),
    ])) as [InRound, InRound, InRound];
    const size = a.weights.length;
    const ofA = difference(size, 1);
    const ofB = difference(size, 2);
    const bad = (code: string) => ({ ok: false, error: { code } });

    // One after the other is refused by name; after the last, C is out of the round.
    const c1 = await c.raw.ask('answer', { ...c.answer, weight: 0 }, trained(c, ofA));
    expect(c1.message).toMatchObject(bad('message-invalid'));
    const c2 = await c.raw.ask('answer', { ...c.answer, ticket: a.ask.ticket }, trained(c, ofA));
    expect(c2.message).toMatchObject({
      ok: false,
      error: { code: 'ticket-invalid', retry: 'with-current-model' },
    });
    const nan = [...ofA.slice(0, -1), Number.NaN];
    const c3 = await c.raw.ask('answer', c.answer, trained(c, nan));
    expect(c3.message).toMatchObject(bad('update-not-finite'));
    const c4 = await c.raw.ask('answer', c.answer, trained(c, ofA));
    expect(c4.message).toMatchObject(bad('update-late'));

    const good = trained(a, ofA);
    const damaged = good.slice();
    damaged[60] = (damaged[60] as number) ^ 1;
    const a1 = await a.raw.ask('answer', a.answer, damaged);
    expect(a1.message).toMatchObject({ ok: false, error: { code: 'frame-invalid', retry: 'later' } });
    const open = await a.raw.ask('counted', { run, tickets: [a.ask.ticket] });
    expect(open.message).toEqual({ ok: true, value: { counted: [null] } });
    const a2 = await a.raw.ask('answer', a.answer, good);
    expect(a2.message).toEqual({ ok: true, value: { duplicate: false, next: null } });
    // The first answer counts, whatever is in a second.
    const a3 = await a.raw.ask('answer', a.answer, trained(a, ofB));
    expect(a3.message).toEqual({ ok: true, value: { duplicate: true, next: null } });
    await b.raw.ask('answer', b.answer, trained(b, ofB));

    const foretold = frame(
      1,
      a.hash,
      aggregate(a.weights, [
        { delta: ofB, examples: 7 },
        { delta: ofA, examples: 10 },
      ]),
    ).subarray(40);
    const end = await a.raw.event('round-end');
    expect(end.message).toMatchObject({ outcome: 'committed', accepted: 2, asked: 3, you: 'accepted' });
    expect(end.message['checkpoint']).toBe(weightsHash(foretold));
    expect((await c.raw.event('round-end')).message).toMatchObject({ you: 'refused' });
    for (const [one, counted] of [
      [a, true],
      [c, false],
    ] as const) {
      const asked = await one.raw.ask('counted', { run, tickets: [one.ask.ticket] });
      expect(asked.message).toEqual({ ok: true, value: { counted: [counted] } });
    }

    const at = `${coordinator.url}/models/iris/latest/`;
    const model = (await (await fetch(`${at}model.json`)).json()) as {
      weightsManifest: { paths: [string] }[];
    };
    const path = model.weightsManifest[0]?.paths[0] ?? '';
    const served = new Uint8Array(await (await fetch(new URL(path, at))).arrayBuffer());
    expect(served).toEqual(foretold);

    // The round is over: an answer that counted is still known as such, another comes too late.
    const again = await b.raw.ask('answer', b.answer, trained(b, ofB));
    expect(again.message).toEqual({ ok: true, value: { duplicate: true, next: null } });
    const late = await c.raw.ask('answer', c.answer, trained(c, ofA));
    expect(late.message).toMatchObject({ ok: false, error: { code: 'update-late' } });
    // A short error: no model, which a participant that comes late may not even want, and no binary part.
    expect(late.frame).toBeNull();
    const { error } = late.message as { error: Json };
    expect(Object.keys(error).sort()).toEqual(['code', 'message', 'retry']);
    expect(JSON.stringify(late.message).length).toBeLessThan(400);

    // The last model is sent out once more, to be measured; then the run is over.
    const [first, second, third] = (await Promise.all(
      [a, b, c].map(async ({ raw }) => (await raw.event('ask')).message),
    )) as [Ask, Ask, Ask];
    expect(first).toMatchObject({ kind: 'evaluate', round: 1 });
    expect(first.parcels[0].frame.subarray(40)).toEqual(served);
    expect(first.ticket).not.toBe(second.ticket);
    const measured = await a.raw.ask(
      'answer',
      { run, ticket: first.ticket, weight: 1, milliseconds: 0 },
      contributionFrame(a.answers.evaluate, held),
    );
    expect(measured.message).toEqual({ ok: true, value: { duplicate: false, next: null } });
    const impossible = await b.raw.ask(
      'answer',
      { run, ticket: second.ticket, weight: 1, milliseconds: 0 },
      contributionFrame(b.answers.evaluate, { ...held, 'held/hits': [3] }),
    );
    expect(impossible.message).toMatchObject(bad('update-measure'));
    const declined = await c.raw.ask('decline', { run, ticket: third.ticket, reason: 'of-a-newer-version' });
    expect(declined.message).toEqual({ ok: true, value: null });
    for (const { raw } of [a, b, c])
      expect((await raw.event('run-end')).message).toEqual({ run, status: 'finished', reason: null });

    const [round] = (await get(`/api/runs/${run}/rounds`)) as [Json];
    const losses = [10, 7].map((examples) => 0.9 * examples);
    expect(round).toMatchObject({
      accepted: 2,
      // C's, and A's that came damaged at first.
      refused: 2,
      examples: 17,
      trainingLoss: measureSum(losses, 2 ** -32) / 17,
      federated: { loss: measureSum([2.2], 2 ** -32) / 2, accuracy: 0.5, examples: 2 },
    });
  });

  it('is refused measures that no data can give', async () => {
    const run = await launch({ minParticipants: 1, rounds: 1 });
    const one = await enter('h', run, 10);
    const delta = difference(one.weights.length, 1);
    const wrong = await one.raw.ask('answer', one.answer, trained(one, delta, { 'train/examples': [9] }));
    expect(wrong.message).toMatchObject({ ok: false, error: { code: 'update-measure', retry: 'never' } });
    expect((await one.raw.event('round-end')).message).toMatchObject({
      outcome: 'abandoned',
      you: 'refused',
    });
    // The next attempt has a ticket of its own; an update of more examples than count is refused, too.
    const { message } = await one.raw.event('ask');
    expect(message).toMatchObject({ round: 1, attempt: 2 });
    const many = { ...one.answer, ticket: message['ticket'], weight: 1_000_000 };
    const refused = await one.raw.ask('answer', many, trained({ ...one, answer: many }, delta));
    expect(refused.message).toMatchObject({ ok: false, error: { code: 'update-examples' } });
    await one.raw.ask('leave', { run });
  });

  it('comes into a run by the link of its invitation, and is put out by a ban', async () => {
    const run = await launch({ rounds: 1, minParticipants: 9 }, { admission: 'invited' });
    const { link } = (await post(`/api/runs/${run}/invitations`, {})) as { link: string };
    const keys = keysOf('invited');
    const raw = connectAs(keys);
    const { message: welcome } = await raw.event('welcome');
    const listed = (welcome['runs'] as Json[]).find(({ id }) => id === run);
    expect(listed).toMatchObject({ admission: 'invited', central: null });
    const join = { run, device: 'headless', backend: 'none', examples: 3, speed: null, paused: false };
    const refused = await raw.ask('join', join);
    expect(refused.message).toMatchObject({ ok: false, error: { code: 'run-not-admitted' } });
    const invitation = new URL(link).hash.replace('#invite=', '');
    const joined = await raw.ask('join', { ...join, invitation });
    expect(joined.message).toMatchObject({ ok: true, value: { run: { id: run, admission: 'invited' } } });
    await post('/api/bans', { participant: keys.id, run });
    expect((await raw.event('notice')).message).toMatchObject({ code: 'participant-banned', run });
    const again = await raw.ask('join', { ...join, invitation });
    expect(again.message).toMatchObject({ ok: false, error: { code: 'participant-banned' } });
    await post('/api/bans', { participant: keys.id, run: null });
    expect((await raw.event('notice')).message).toEqual({
      code: 'participant-banned',
      message: expect.any(String),
      retry: 'never',
    });
    await raw.closed;
  });

  it('sends whole numbers of 8 bits where the plan says so, and foretells the next model, bit for bit', async () => {
    const run = await launch({ minParticipants: 2, rounds: 1, overSelection: 1, uploadCodec: 'int8' });
    const [a, b] = (await Promise.all([enter('d', run, 10), enter('e', run, 33)])) as [InRound, InRound];
    const deltas = [a, b].map(({ weights }, i) => difference(weights.length, i));
    const payloads = deltas.map((delta, i) => encodeInt8(delta, i));
    const ofA = deltas[0] as number[];
    const plain = await a.raw.ask('answer', a.answer, trained(a, ofA));
    expect(plain.message).toMatchObject({ ok: false, error: { code: 'update-shape' } });
    const replies = [b, a].map(async (one) => {
      const encoder = { codec: 2, encode: () => payloads[one === a ? 0 : 1] as Uint8Array };
      return (await one.raw.ask('answer', one.answer, trained(one, ofA, { encoder }))).message;
    });
    expect((await Promise.all(replies)).map(({ ok }) => ok)).toEqual([true, false]);
    const next = aggregate(b.weights, [
      { delta: decodeInt8(payloads[1] as Uint8Array, b.weights.length), examples: 33 },
    ]);
    const end = await b.raw.event('round-end');
    expect(end.message['checkpoint']).toBe(weightsHash(frame(1, b.hash, next).subarray(40)));
  });

  it('takes several parcels in one question, and foretells the control variate of SCAFFOLD, bit for bit', async () => {
    const run = await launch({ strategy: 'scaffold', minParticipants: 1, rounds: 2 });
    const one = await enter('with control', run, 10);
    const size = one.weights.length;
    const part = (ask: Ask, i: number) => ask.parcels[i] as Ask['parcels'][0];
    const control = part(one.ask, 1);
    expect(one.ask.parcels.map(({ name }) => name)).toEqual(['model', 'control']);
    const zeros = new Array<number>(size).fill(0);
    expect(control.hash).toBe(weightsHash(frame(1, one.hash, zeros).subarray(40)));
    expect(control.frame).toEqual(frame(1, one.hash, zeros));

    // Whole multiples of the group's unit, so that a mean of one is itself.
    const ofControl = Array.from({ length: size }, (_, i) => ((i % 7) - 3) / 64);
    const delta = difference(size, 5);
    const sent = await one.raw.ask('answer', one.answer, trained(one, delta, { control: ofControl }));
    expect(sent.message).toEqual({ ok: true, value: { duplicate: false, next: null } });

    const next = (await one.raw.event('ask')).message as Ask;
    // Two placeholders, and two binary messages behind them: each is the frame of its own parcel.
    const text = one.raw.log.findLast((line) => line.includes('"ask"')) as string;
    expect(text).toMatch(/^S 452-\/participant,\["ask",/);
    const model = aggregate(one.weights, [{ delta, examples: 10 }]);
    expect(payload(part(next, 0).frame)).toEqual(model);
    expect(part(next, 0).hash).toBe(weightsHash(frame(1, one.hash, model).subarray(40)));
    expect(payload(part(next, 1).frame)).toEqual(ofControl);
    expect(part(next, 1).hash).toBe(weightsHash(frame(1, one.hash, ofControl).subarray(40)));
    const again = await one.raw.ask('parcel', { run, hash: part(next, 1).hash, piece: 0 });
    expect(again.frame).toEqual(part(next, 1).frame.subarray(40));
    await one.raw.ask('leave', { run });
  });

  it('follows the model by steps of 8 bits', async () => {
    const plan = {
      minParticipants: 2,
      rounds: 3,
      overSelection: 1,
      downloadCodec: 'int8',
      downloadForm: 'steps',
    };
    const run = await launch(plan);
    const [a, b] = (await Promise.all([enter('f', run, 10, { has: null }), enter('g', run, 33)])) as [
      InRound,
      InRound,
    ];
    const first = a.ask.parcels[0].hash;
    let before = first;
    let weights = a.weights;
    let tickets = [a.ask.ticket, b.ask.ticket];
    for (let round = 1; round <= 2; round++) {
      for (const [i, one] of [a, b].entries()) {
        const answer = { ...one.answer, ticket: tickets[i] };
        await one.raw.ask('answer', answer, trained(one, difference(weights.length, round)));
      }
      const asks = (await Promise.all([a, b].map(async ({ raw }) => (await raw.event('ask')).message))) as [
        Ask,
        Ask,
      ];
      const [[byStep], [whole]] = [asks[0].parcels, asks[1].parcels];
      expect(byStep.base).toBe(before);
      const step = decodeInt8(byStep.frame.subarray(40), weights.length);
      expect([...byStep.frame.subarray(4, 7)]).toEqual([1, 3, 2]);
      weights = weights.map((weight, i) => Math.fround(weight + (step[i] as number)));
      expect(whole).not.toHaveProperty('base');
      expect(payload(whole.frame)).toEqual(weights);
      expect(weightsHash(frame(1, a.hash, weights).subarray(40))).toBe(byStep.hash);
      before = byStep.hash;
      tickets = asks.map(({ ticket }) => ticket);
    }
    const pulled = await b.raw.ask('pull', { run, has: first });
    expect(pulled.message['value']).toMatchObject({ base: first, checkpoint: before });
    const twice = (pulled.frame as Uint8Array).subarray(40);
    const two = [0, 1].map((i) => decodeInt8(twice.subarray((i * twice.length) / 2), weights.length));
    const there = a.weights.map((weight, i) =>
      two.reduce((sum, step) => Math.fround(sum + (step[i] as number)), weight),
    );
    expect(there).toEqual(weights);
  });

  it.each([
    { capability: 'codec:int8', plan: { uploadCodec: 'int8' } },
    { capability: 'optimizer:momentum', plan: { optimizer: 'momentum' } },
    { capability: 'strategy:scaffold', plan: { strategy: 'scaffold' } },
    { capability: 'step:clip', plan: { clipNorm: 1 } },
    { capability: 'role:frozen', plan: {}, task: 'frozen' },
    { capability: 'data:category', plan: {}, task: 'categories' },
    { capability: 'data:scaled-target', plan: {}, task: 'scaled' },
    { capability: 'loss:huber', plan: {}, task: 'huber' },
    { capability: 'loss:class-weights', plan: {}, task: 'weighted' },
    { capability: 'measure:metrics', plan: {}, task: 'measured' },
  ])(
    'is refused by name where a run needs $capability and it does not name it',
    async ({ capability, plan, task = 'iris' }) => {
      await postTask('frozen', { columns: 4, units: 3, hidden: { trainable: false } });
      // Two values and any other.
      const features = [{ kind: 'category', name: 'x', values: ['p', 'q'] }];
      await postTask('categories', { columns: 3, units: 3, data: { features } });
      const target = { kind: 'number', name: 'y', mean: 10, scale: 5 };
      await postTask('scaled', { columns: 4, units: 3, data: { target } });
      const size = { columns: 3, units: 2 };
      const number = { target: { kind: 'number', name: 'y' } };
      await postTask('huber', { ...size, data: number, more: { loss: 'huber' } });
      await postTask('weighted', { ...size, more: { classWeights: [1, 2] } });
      await postTask('measured', { ...size, more: { metrics: undefined } });
      const run = await launch({ minParticipants: 2, ...plan }, { task });
      const join = async (name: string, features?: readonly string[]) => {
        const keys = keysOf(name);
        const raw = connect(
          { protocol: 4, key: keys.key, ...(features === undefined ? {} : { features }) },
          keys,
        );
        await raw.event('welcome');
        const about = { device: 'headless', backend: 'none', examples: 5, speed: null, paused: false };
        return (await raw.ask('join', { run, ...about })).message;
      };
      const refused = {
        ok: false,
        error: { code: 'plan-unsupported', message: expect.stringContaining(capability), retry: 'reload' },
      };
      expect(await join(`names nothing, ${capability}`)).toMatchObject(refused);
      expect(await join(`names another, ${capability}`, ['of-a-newer-version'])).toMatchObject(refused);
      const granted = await join(`names ${capability}`, [capability]);
      expect(granted).toMatchObject({ ok: true });
      const { task: joined, recipe } = granted['value'] as { task: { data: RawData }; recipe: string };
      expect(recipe).toBe(recipeHash(joined.data));
    },
  );

  it.each([
    { task: 'frozen', columns: 4, units: 3 },
    // More than a message takes, in two pieces.
    { task: 'large-frozen', columns: 600, units: 500 },
  ])('puts a model together of its moving and its frozen part: $task', async ({ task, columns, units }) => {
    await postTask(task, { columns, units, hidden: { trainable: false } });
    const plan = { minParticipants: 1, rounds: 2, evaluationShare: 0, normFactor: null };
    const run = await launch(plan, { task });
    const raw = connectAs(keysOf(`in parts, ${task}`));
    await raw.event('welcome');
    const about = { device: 'headless', backend: 'none', examples: 5, speed: null, paused: false };
    const joined = (await raw.ask('join', { run, ...about })).message['value'];
    const { layout, answers } = joined as { layout: Spec[]; answers: InRound['answers'] };
    const partLayout = (stays: boolean) => layout.filter(({ frozen = false }) => frozen === stays);
    let kept: { hash: string; numbers: number[] } | null = null;
    let foretold: unknown = (joined as Json)['checkpoint'];
    for (const round of [1, 2]) {
      const ask = (await raw.event('ask')).message as unknown as PartsAsk;
      expect(ask).toMatchObject({ round, parcels: [{ name: 'model' }, { name: 'frozen' }] });
      const [model, frozen] = ask.parcels;
      const moving = payload(model.frame);
      expect(Buffer.compare(model.frame, frame(1, layoutHash(partLayout(false)), moving))).toBe(0);
      expect(weightsHash(model.frame.subarray(40))).toBe(model.moving);
      // Its header alone, whatever its size; fetched in the first round, and not again.
      expect(frozen.frame.byteLength).toBe(40);
      if (kept === null) {
        const whole = await fetchPieces(raw, run, frozen.hash, frozen.frame);
        kept = { hash: weightsHash(whole.subarray(40)), numbers: payload(whole) };
        expect(Buffer.compare(whole, frame(1, layoutHash(partLayout(true)), kept.numbers))).toBe(0);
        const wanted = { run, hash: frozen.hash, header: frozen.frame };
        const byHttp = await fetchOverHttp(coordinator.url, wanted, { breakAfter: 20 });
        expect(Buffer.compare(byHttp.whole, whole)).toBe(0);
      }
      expect(frozen.hash).toBe(kept.hash);
      const all = wholeModel(layout, moving, kept.numbers);
      expect(weightsHash(frame(1, Buffer.alloc(16), all).subarray(40))).toBe(model.hash);
      expect(model.hash).toBe(foretold);

      const pulled = (await raw.ask('pull', { run })).message['value'] as Json;
      // A ticket comes beside a header alone, and opens its payload over HTTP.
      const opened = (pulled['frame'] as Uint8Array).length === 40 ? ['ticket'] : [];
      expect(Object.keys(pulled).toSorted()).toEqual(['checkpoint', 'frame', 'round', ...opened]);
      const whole = await fetchWhole(raw, run, model.hash, pulled['frame'] as Uint8Array);
      expect(Buffer.compare(whole, frame(1, layoutHash(layout), all))).toBe(0);
      expect((await raw.ask('pull', { run, parts: true })).message['value']).toEqual({
        round: round - 1,
        checkpoint: model.hash,
        moving: model.moving,
        frame: model.frame,
        frozen: { hash: frozen.hash, frame: frozen.frame },
        ticket: expect.any(String),
      });

      const delta = difference(moving.length, round).map((change) => Math.fround(change / 8));
      const answer = { run, ticket: ask.ticket, weight: 5, milliseconds: 3 };
      expect((await raw.ask('answer', answer, trained({ answers, answer }, delta))).message).toEqual({
        ok: true,
        value: { duplicate: false, next: null },
      });
      const next = wholeModel(layout, aggregate(moving, [{ delta, examples: 5 }]), kept.numbers);
      foretold = weightsHash(frame(1, Buffer.alloc(16), next).subarray(40));
      expect((await raw.event('round-end')).message).toMatchObject({ checkpoint: foretold });
    }
    await raw.event('run-end');
    const last = (await raw.ask('pull', { run })).message['value'] as Json;
    const whole = await fetchWhole(raw, run, foretold as string, last['frame'] as Uint8Array);
    expect(weightsHash(whole.subarray(40))).toBe(foretold);
  });

  it.each(['open', 'invited'] as const)(
    'fetches a large model of a run that is %s over HTTP, and goes on where the line broke',
    async (admission) => {
      await postLargeTask();
      const plan = { minParticipants: 1, rounds: 1, evaluationShare: 0 };
      const run = await launch(plan, { task: 'large', admission });
      const by: Json = {};
      if (admission === 'invited') {
        const { link } = (await post(`/api/runs/${run}/invitations`, {})) as { link: string };
        by['invitation'] = new URL(link).hash.replace('#invite=', '');
      }
      const one = await enter(`over HTTP, ${admission}`, run, 10, by);
      const [model] = one.ask.parcels;
      const wanted = { run, hash: model.hash, header: model.frame };
      const { id } = keysOf(`over HTTP, ${admission}`);
      const ticket = { 'coppice-participant': id, 'coppice-ticket': one.ask.ticket };
      const fetched = await fetchOverHttp(coordinator.url, wanted, { ticket, breakAfter: 100_000 });
      expect(fetched.statuses).toEqual([200, 206]);
      expect(fetched.whole).toEqual(new Uint8Array(await fetchPieces(one.raw, run, model.hash, model.frame)));
      expect(weightsHash(fetched.whole.subarray(40))).toBe(model.hash);
      const without = await fetchOverHttp(coordinator.url, wanted, { breakAfter: Number.POSITIVE_INFINITY });
      expect(without.statuses).toEqual([admission === 'open' ? 200 : 403]);
      await one.raw.ask('leave', { run });
    },
  );

  it('fetches a large model in pieces, answers in pieces, and goes on where it was', async () => {
    await postLargeTask();
    const plan = { minParticipants: 1, rounds: 1, evaluationShare: 0 };
    const run = await launch(plan, { task: 'large' });
    const one = await enter('i', run, 10);
    const { raw, answer, weights, hash } = one;
    expect(one.ask.parcels[0].frame.byteLength).toBe(40);
    const delta = difference(weights.length, 3).map((change) => Math.fround(change / 8));
    const bytes = trained(one, delta);
    const early = await raw.ask('answer-piece', { run, ticket: answer['ticket'], piece: 0 }, bytes, 'bytes');
    expect(early.message).toMatchObject({ ok: false, error: { code: 'update-not-offered' } });
    // One that would fit no plan is refused by its header.
    const other = bytes.slice(0, 40);
    const shape = await raw.ask('answer', { ...answer, weight: 1_000_000 }, other);
    expect(shape.message).toMatchObject({ ok: false, error: { code: 'update-examples' } });
    expect((await raw.event('round-end')).message).toMatchObject({ outcome: 'abandoned', you: 'refused' });
    const { message: second } = await raw.event('ask');
    const again = { ...answer, ticket: second['ticket'] };
    const begun = await raw.ask('answer', again, bytes.slice(0, 40));
    expect(begun.message).toEqual({ ok: true, value: { duplicate: false, next: 0 } });
    expect((await sendPiece(raw, again, bytes, 0)).message).toEqual({ ok: true, value: { next: 1 } });
    const { answer: reply, sent } = await sendInPieces(raw, again, bytes);
    expect(reply).toEqual({ ok: true, value: { duplicate: false, next: null } });
    expect(sent).toEqual([1]);
    const end = await raw.event('round-end');
    const next = aggregate(weights, [{ delta, examples: 10 }]);
    expect(end.message['checkpoint']).toBe(weightsHash(frame(1, hash, next).subarray(40)));
    // Nothing is held out, so nothing is measured after the last round.
    expect((await raw.event('run-end')).message).toMatchObject({ run, status: 'finished' });
    const late = await raw.ask('join', {
      run,
      device: 'headless',
      backend: 'none',
      examples: 1,
      speed: null,
      paused: false,
    });
    expect(late.message).toMatchObject({ ok: false, error: { code: 'run-ended' } });
    const pulled = (await raw.ask('pull', { run })).message['value'] as {
      checkpoint: string;
      frame: Uint8Array;
    };
    const whole = await fetchPieces(raw, run, pulled.checkpoint, pulled.frame);
    expect(weightsHash(whole.subarray(40))).toBe(pulled.checkpoint);
    const gone = await raw.ask('parcel', { run, hash: one.ask.parcels[0].hash, piece: 0 });
    expect(gone.message).toMatchObject({ ok: false, error: { code: 'checkpoint-unknown' } });
  });
});
