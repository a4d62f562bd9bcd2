import { type Coordinator, memorySpool, memoryStorage, startCoordinator } from '@coppice/coordinator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Keys, keysFrom, keysOf } from './raw-identity.ts';
import {
  aggregate,
  decodeInt8,
  encodeInt8,
  frame,
  type Json,
  layoutHash,
  payload,
  RawParticipant,
  type Spec,
  weightsHash,
} from './raw-participant.ts';

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

const connectAs = (keys: Keys) => connect({ protocol: 3, key: keys.key }, keys);

async function post(path: string, body: Json): Promise<Json> {
  const response = await fetch(`${coordinator.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer a-key-for-tests' },
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(201);
  return (await response.json()) as Json;
}

async function launch(plan: Json, admission = 'open'): Promise<string> {
  return (await post('/api/runs', { task: 'iris', plan, start: true, admission }))['id'] as string;
}

interface InRound {
  readonly raw: RawParticipant;
  readonly hash: Buffer;
  readonly weights: number[];
  /** What every update of this round says beside its frame. */
  readonly update: Json;
}

/** Connects and joins; resolves when the round has come. @param has what `join` says of a model that is kept. */
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
  const { layout } = joined.message['value'] as { layout: Spec[] };
  const { message, frame: bytes } = await raw.event('round-start');
  if (bytes === null) throw new Error('round-start came without its frame');
  const { round, attempt, checkpoint } = message;
  const hash = layoutHash(layout);
  const weights = payload(bytes);
  expect(bytes).toEqual(frame(1, hash, weights));
  expect(weightsHash(bytes.subarray(40))).toBe(checkpoint);
  const update = {
    run,
    round,
    attempt,
    checkpoint,
    examples,
    loss: 0.9,
    evaluation: { loss: 1.1, accuracy: 0.5, examples: 2 },
    milliseconds: 12,
  };
  return { raw, hash, weights, update };
}

/** Differences of any size and sign, none of them round. */
const difference = (length: number, seed: number) =>
  Array.from({ length }, (_, i) => Math.fround(Math.sin(seed + i * 1.7) * 10 ** ((i % 9) - 7)));

describe('a participant written from docs/protocol.md', () => {
  it.each([
    [{ protocol: 1, secret: '00'.repeat(32) }, 'protocol-too-old'],
    [{ protocol: 99, key: keysOf('new').key }, 'protocol-too-new'],
    [{ protocol: 3, key: 'short' }, 'identity-invalid'],
    [{ protocol: 3, key: 'A'.repeat(87) }, 'identity-invalid'],
    [{ protocol: 3, key: `B${'A'.repeat(86)}` }, 'identity-invalid'],
    [{ protocol: 3, key: keysOf('more').key, more: 1 }, 'identity-invalid'],
  ])('is refused by name: %j', async (auth, code) => {
    expect(await connect(auth).connected).toMatchObject({ code, message: expect.any(String) });
  });

  it('is known by the hash of its key, and one connection at a time is its own', async () => {
    const keys = keysFrom(Buffer.from('00112233445566778899aabbccddeeff'.repeat(2), 'hex'));
    expect(keys.key).toBe(
      'BHmJU-foE0_fPBOfY9P7zMJSootspQWeYYN0qBIxJA8_yDJnrscl4YtmF2w2hdElcgGmcDOBlYWiKiljUBWa5ws',
    );
    const first = connectAs(keys);
    const { message } = await first.event('welcome');
    expect(message).toMatchObject({ protocol: 3, participant: 'd4b6022caab19a20ef24119faf1a64a2' });
    const second = connectAs(keys);
    await second.event('welcome');
    expect((await first.event('notice')).message).toMatchObject({ code: 'session-replaced' });
    await first.closed;
  });

  describe('must prove its key', () => {
    const victim = keysOf('victim');
    const unproven = { ok: false, error: { code: 'identity-unproven', message: expect.any(String) } };
    const claim = async () => {
      const raw = connect({ protocol: 3, key: victim.key });
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

    // One after the other is refused by name; after the last, C is out of the round.
    const c1 = await c.raw.ask('update', { ...c.update, examples: 0 }, frame(2, c.hash, ofA));
    expect(c1.message).toMatchObject({ ok: false, error: { code: 'message-invalid' } });
    const c2 = await c.raw.ask('update', { ...c.update, checkpoint: '0'.repeat(64) }, frame(2, c.hash, ofA));
    expect(c2.message).toMatchObject({
      ok: false,
      error: { code: 'update-stale' },
      current: { round: 0, checkpoint: c.update['checkpoint'] },
    });
    expect(payload(c2.frame as Uint8Array)).toEqual(c.weights);
    const nan = [...ofA.slice(0, -1), Number.NaN];
    const c3 = await c.raw.ask('update', c.update, frame(2, c.hash, nan));
    expect(c3.message).toMatchObject({ ok: false, error: { code: 'update-not-finite' } });

    const good = frame(2, a.hash, ofA);
    const damaged = good.slice();
    damaged[60] = (damaged[60] as number) ^ 1;
    const a1 = await a.raw.ask('update', a.update, damaged);
    expect(a1.message).toMatchObject({ ok: false, error: { code: 'frame-invalid' } });
    const a2 = await a.raw.ask('update', a.update, good);
    expect(a2.message).toEqual({ ok: true, value: { duplicate: false, next: null } });
    const a3 = await a.raw.ask('update', a.update, good);
    expect(a3.message).toEqual({ ok: true, value: { duplicate: true, next: null } });
    await b.raw.ask('update', b.update, frame(2, b.hash, ofB));

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

    const at = `${coordinator.url}/models/iris/latest/`;
    const model = (await (await fetch(`${at}model.json`)).json()) as {
      weightsManifest: { paths: [string] }[];
    };
    const path = model.weightsManifest[0]?.paths[0] ?? '';
    const served = new Uint8Array(await (await fetch(new URL(path, at))).arrayBuffer());
    expect(served).toEqual(foretold);

    // The last model is sent out once more, to be measured.
    const ask = await a.raw.event('evaluate');
    expect((ask.frame as Uint8Array).subarray(40)).toEqual(served);
    const metrics = { loss: 1.05, accuracy: 0.5, examples: 2 };
    const measured = await a.raw.ask('evaluation', { run, checkpoint: ask.message['checkpoint'], metrics });
    expect(measured.message).toEqual({ ok: true, value: null });

    // The round is over: what was counted is still known as such, what was not comes too late.
    const again = await b.raw.ask('update', b.update, frame(2, b.hash, ofB));
    expect(again.message).toEqual({ ok: true, value: { duplicate: true, next: null } });
    const late = await c.raw.ask('update', c.update, frame(2, c.hash, ofA));
    expect(late.message).toMatchObject({ ok: false, error: { code: 'update-late' }, current: { round: 1 } });
    expect((late.frame as Uint8Array).subarray(40)).toEqual(served);
  });

  it('comes into a run by the link of its invitation, and is put out by a ban', async () => {
    const run = await launch({ rounds: 1, minParticipants: 9 }, 'invited');
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
    });
    await raw.closed;
  });

  it('sends whole numbers of 8 bits where the plan says so, and foretells the next model, bit for bit', async () => {
    const run = await launch({ minParticipants: 2, rounds: 1, overSelection: 1, uploadCodec: 'int8' });
    const [a, b] = (await Promise.all([enter('d', run, 10), enter('e', run, 33)])) as [InRound, InRound];
    const deltas = [a, b].map(({ weights }, i) => difference(weights.length, i));
    const payloads = deltas.map((delta, i) => encodeInt8(delta, i));
    const ofA = deltas[0] as number[];
    const plain = await a.raw.ask('update', a.update, frame(2, a.hash, ofA));
    expect(plain.message).toMatchObject({ ok: false, error: { code: 'update-shape' } });
    const updates = [b, a].map(async ({ raw, update, hash, weights }) => {
      const payload = payloads[raw === a.raw ? 0 : 1] as Uint8Array;
      return (await raw.ask('update', update, frame(2, hash, weights, { codec: 2, payload }))).message;
    });
    expect((await Promise.all(updates)).map(({ ok }) => ok)).toEqual([true, false]);
    const next = aggregate(b.weights, [
      { delta: decodeInt8(payloads[1] as Uint8Array, b.weights.length), examples: 33 },
    ]);
    const end = await b.raw.event('round-end');
    expect(end.message['checkpoint']).toBe(weightsHash(frame(1, b.hash, next).subarray(40)));
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
    let weights = a.weights;
    let { update } = a;
    for (let round = 1; round <= 2; round++) {
      for (const { raw, hash } of [a, b]) {
        await raw.ask('update', update, frame(2, hash, difference(weights.length, round)));
      }
      const [byStep, whole] = await Promise.all([a.raw.event('round-start'), b.raw.event('round-start')]);
      const { base, checkpoint } = byStep.message;
      expect(base).toBe(update['checkpoint']);
      const step = decodeInt8((byStep.frame as Uint8Array).subarray(40), weights.length);
      expect([...(byStep.frame as Uint8Array).subarray(4, 7)]).toEqual([1, 3, 2]);
      weights = weights.map((weight, i) => Math.fround(weight + (step[i] as number)));
      expect(whole.message).not.toHaveProperty('base');
      expect(payload(whole.frame as Uint8Array)).toEqual(weights);
      expect(weightsHash(frame(1, a.hash, weights).subarray(40))).toBe(checkpoint);
      update = { ...update, round: round + 1, checkpoint };
    }
    const pulled = await b.raw.ask('pull', { run, has: a.update['checkpoint'] });
    expect(pulled.message['value']).toMatchObject({ base: a.update['checkpoint'] });
    const twice = (pulled.frame as Uint8Array).subarray(40);
    const two = [0, 1].map((i) => decodeInt8(twice.subarray((i * twice.length) / 2), weights.length));
    const there = a.weights.map((weight, i) =>
      two.reduce((sum, step) => Math.fround(sum + (step[i] as number)), weight),
    );
    expect(there).toEqual(weights);
  });
});
