import {
  type Ask,
  type Codec,
  contributionBytes,
  defaultPlan,
  float32Payload,
  frameBytes,
  PIECE_BYTES,
  type Plan,
  pieceOf,
  sectionsOf,
  type Up,
} from '@coppice/protocol';
import { expect, it } from 'vitest';
import { welcome } from './contract.ts';
import type { loopback } from './loopback-transport.ts';
import { broken, scriptedSource } from './parcel-source.testing.ts';
import type { ParcelSource } from './parcel-source.ts';
import type { Activity } from './session-state.ts';
import {
  asking as askingOf,
  frameOf,
  layoutsOf,
  modelOf,
  scripted,
  summary,
  until,
  world as worldOf,
} from './session-world.ts';

/* A session whose model has 2.4 MB: three pieces. */
const PARAMETERS = 600_000;
const model = modelOf(Float32Array.from({ length: PARAMETERS }, (_, i) => i / 8));
const payload = float32Payload(model.weights);
/** The same model, rounded, as JavaScript rounds to float16: two pieces. */
const rounded = model.weights.map((weight) => Math.f16round(Math.min(weight, 65504)));
const payload16 = new Uint8Array(PARAMETERS * 2);
for (const [i, weight] of rounded.entries()) new DataView(payload16.buffer).setFloat16(i * 2, weight, true);
const header16 = frameOf(model.weights, { codec: 'float16', payload: payload16 });

/** A question to train whose model comes as a header alone. */
const asking = (sent: Uint8Array = model.frame): Ask =>
  askingOf(1, { parcels: [{ name: 'model', hash: model.checkpoint, frame: sent }] });

/** Bytes of an answer's payload: the change, then the measures as float32. */
const answerBytes = (plan: Partial<Plan> = {}) => {
  const full = { ...defaultPlan, evaluationShare: 0, ...plan };
  return contributionBytes(full.uploadCodec, sectionsOf(layoutsOf(full, model.layout).train));
};

async function world({
  keepModels = false,
  plan = {},
  parcels,
}: {
  keepModels?: boolean;
  plan?: Partial<Plan>;
  parcels?: ParcelSource;
} = {}) {
  const trainer = scripted(undefined, model);
  const w = await worldOf({ model, trainer, keepModels, parcels, plan: { evaluationShare: 0, ...plan } });
  const { session, peer, messages } = w;
  const asked: number[] = [];
  const codecsAsked = new Set<Codec | undefined>();
  peer.answer('parcel', ({ piece, codec }) => {
    asked.push(piece);
    codecsAsked.add(codec);
    return { ok: true, value: { bytes: pieceOf(codec === 'float16' ? payload16 : payload, piece) } };
  });
  const activities: Activity[] = [];
  session.subscribe(({ activity }) => {
    if (activities.at(-1) !== activity) activities.push(activity);
  });
  await w.enter();
  const declined = () => messages('decline') as Up<'decline'>[];
  return { session, peer, asked, codecsAsked, given: trainer.getWeights, declined, activities };
}

/** A coordinator that takes the update's pieces; `at` is told each before it is taken. */
function taking(peer: ReturnType<typeof loopback>['peer'], at: (piece: number) => void = () => {}) {
  const received = new Uint8Array(answerBytes());
  const pieces: number[] = [];
  let next = 0;
  peer.answer('answer', () => ({ ok: true, value: { duplicate: false, next: next === 3 ? null : next } }));
  peer.answer('answer-piece', ({ piece, bytes }) => {
    pieces.push(piece);
    at(piece);
    received.set(frameBytes(bytes), piece * PIECE_BYTES);
    next = piece + 1;
    return { ok: true, value: { next } };
  });
  return { received, pieces };
}

it('fetches the model, trains, and sends the update, and says how far it is', async () => {
  const { session, peer, asked, activities } = await world();
  const { received } = taking(peer);
  peer.push('ask', asking());
  await until(session, ({ activity }) => activity.kind === 'delivered');
  expect(asked).toEqual([0, 1, 2]);
  const bytes = PARAMETERS * 4;
  expect(activities).toContainEqual({ kind: 'receiving', round: 1, received: PIECE_BYTES, bytes });
  expect(activities).toContainEqual({ kind: 'receiving', round: 1, received: bytes, bytes });
  expect(activities).toContainEqual({
    kind: 'sending',
    round: 1,
    sent: 2 * PIECE_BYTES,
    bytes: answerBytes() + 40,
  });
  expect(new Float32Array(received.buffer, 0, PARAMETERS).every((delta) => delta === 0.5)).toBe(true);
  // One line in the outbound log, with all that left.
  const updates = session.state.outbound.filter(({ name }) => name.startsWith('answer'));
  expect(updates).toHaveLength(1);
  expect(updates[0]?.bytes).toBeGreaterThan(bytes);
});

it('fetches the model over HTTP with the ticket of the question, and counts its bytes', async () => {
  const cut = 1.5 * PIECE_BYTES;
  const parcels = scriptedSource(
    { bytes: payload.slice(0, cut), end: broken() },
    { bytes: payload.slice(cut) },
  );
  const { session, peer, asked, activities } = await world({ parcels });
  const { received } = taking(peer);
  const before = session.state.received.bytes;
  peer.push('ask', asking());
  const { participant } = await until(session, ({ activity }) => activity.kind === 'delivered');
  expect(asked).toEqual([]);
  const { run, ticket } = asking();
  const address = { run, hash: model.checkpoint, codec: 'float32', bytes: payload.byteLength };
  const pass = { participant, ticket };
  expect(parcels.asked).toEqual([
    { address, from: 0, pass },
    { address, from: cut, pass },
  ]);
  const { byteLength: bytes } = payload;
  expect(activities).toContainEqual({ kind: 'receiving', round: 1, received: PIECE_BYTES, bytes });
  expect(activities).toContainEqual({ kind: 'receiving', round: 1, received: bytes, bytes });
  expect(session.state.received.bytes - before).toBeGreaterThanOrEqual(bytes);
  expect(session.state.sent.messages).toBeGreaterThan(2);
  expect(new Float32Array(received.buffer, 0, PARAMETERS).every((delta) => delta === 0.5)).toBe(true);
});

it('fetches a model that it pulls over HTTP where a ticket came with it', async () => {
  const parcels = scriptedSource({ bytes: payload });
  const { session, peer, asked } = await world({ parcels });
  const pulled = { round: 0, checkpoint: model.checkpoint, frame: model.frame };
  peer.answer('pull', () => ({ ok: true, value: { ...pulled, ticket: 'p0.seal' } }));
  expect((await session.pull('r-1')).weights).toEqual(model.weights);
  expect(parcels.asked).toMatchObject([{ pass: { ticket: 'p0.seal' } }]);
  peer.answer('pull', () => ({ ok: true, value: pulled }));
  expect((await session.pull('r-1')).weights).toEqual(model.weights);
  expect([asked, parcels.asked.length]).toEqual([[0, 1, 2], 1]);
});

it('stops a download when it is paused', async () => {
  const parcels = scriptedSource({ bytes: payload.slice(0, PIECE_BYTES), end: 'hang' });
  const { session, peer, asked, declined } = await world({ parcels });
  peer.push('ask', asking());
  await until(session, ({ activity }) => activity.kind === 'receiving' && activity.received === PIECE_BYTES);
  await session.pause();
  expect(asked).toEqual([]);
  expect(declined()).toMatchObject([{ reason: 'paused' }]);
  expect(session.state).toMatchObject({ activity: { kind: 'paused' }, error: null });
});

it('goes on after a lost line with what is missing, and fetches no model for an update that is made', async () => {
  const { session, peer, asked } = await world();
  let broken = false;
  const { pieces } = taking(peer, (piece) => {
    if (piece !== 2 || broken) return;
    broken = true;
    peer.drop();
    throw new Error('the line is broken');
  });
  peer.push('ask', asking());
  await until(session, ({ connection }) => connection === 'offline');
  peer.welcome({ ...welcome, runs: [summary] });
  await until(session, ({ connection }) => connection === 'online');
  // As after any join: the coordinator sends the round again.
  await new Promise(setImmediate);
  peer.push('ask', asking());
  await until(session, ({ activity }) => activity.kind === 'delivered');
  expect(pieces).toEqual([0, 1, 2, 2]);
  expect(asked).toEqual([0, 1, 2]);
});

it('does not fetch the model that it has already', async () => {
  const { session, peer, asked } = await world({ keepModels: true });
  await until(session, ({ model }) => model !== null);
  taking(peer);
  peer.push('ask', asking());
  await until(session, ({ activity }) => activity.kind === 'delivered');
  expect(asked).toEqual([0, 1, 2]);
});

it('stops fetching when it is paused', async () => {
  const { session, peer, asked, declined } = await world();
  peer.answer('parcel', ({ piece }) => {
    asked.push(piece);
    return new Promise(() => {});
  });
  peer.push('ask', asking());
  await until(session, ({ activity }) => activity.kind === 'receiving');
  await session.pause();
  expect(asked).toEqual([0, 1]);
  expect(declined()).toMatchObject([{ reason: 'paused' }]);
  expect(session.state).toMatchObject({ activity: { kind: 'paused' }, error: null });
});

it('waits for the next round where the model was replaced while it was fetched', async () => {
  const { session, peer, declined } = await world();
  peer.answer('parcel', () => ({ ok: false, error: { code: 'checkpoint-unknown', message: 'Gone.' } }));
  peer.push('ask', asking());
  await until(session, ({ activity }) => activity.kind === 'receiving');
  await until(session, ({ activity }) => activity.kind === 'waiting');
  expect(declined()).toEqual([]);
  expect(session.state.error).toBeNull();
});

it('takes a header that announces another model for what it is', async () => {
  const { session, peer, asked, declined } = await world();
  const other = model.frame.slice();
  other[24] = (other[24] as number) ^ 1;
  peer.push('ask', asking(other));
  await until(session, ({ error }) => error !== null);
  await new Promise(setImmediate);
  expect(declined()).toMatchObject([{ reason: 'frame-invalid' }]);
  expect(asked).toEqual([]);
});

it('fetches the rounded model to train on, though it has the exact one', async () => {
  const { session, peer, asked, codecsAsked, given, activities } = await world({
    keepModels: true,
    plan: { downloadCodec: 'float16' },
  });
  await until(session, ({ model }) => model !== null);
  expect(asked.splice(0)).toEqual([0, 1, 2]);
  expect([...codecsAsked]).toEqual(['float32']);
  const { received } = taking(peer);
  peer.push('ask', asking(header16));
  await until(session, ({ activity }) => activity.kind === 'delivered');
  expect(asked).toEqual([0, 1]);
  expect([...codecsAsked]).toEqual(['float32', 'float16']);
  const bytes = payload16.byteLength;
  expect(activities).toContainEqual({ kind: 'receiving', round: 1, received: bytes, bytes });
  expect(await given()).toEqual(rounded);
  expect(new Float32Array(received.buffer, 0, PARAMETERS).every((delta) => delta === 0.5)).toBe(true);
  // What is kept for use is the model that was named.
  expect(session.models().latest?.weights).toEqual(model.weights);
});

it('trains on the model that it took steps from where the whole one is announced again', async () => {
  const { session, peer, asked, given } = await world({
    plan: { downloadCodec: 'int8', downloadForm: 'steps' },
  });
  await session.pull('r-1');
  expect(asked.splice(0)).toEqual([0, 1, 2]);
  taking(peer);
  peer.push('ask', asking());
  await until(session, ({ activity }) => activity.kind === 'delivered');
  expect(asked).toEqual([]);
  expect(await given()).toEqual(model.weights);
});

it('sends an update of the plan’s codec in pieces of that', async () => {
  const { session, peer } = await world({ plan: { uploadCodec: 'float16' } });
  const pieces: Uint8Array[] = [];
  peer.answer('answer', () => ({
    ok: true,
    value: { duplicate: false, next: pieces.length === 2 ? null : pieces.length },
  }));
  peer.answer('answer-piece', ({ piece, bytes }) => {
    pieces.push(frameBytes(bytes));
    return { ok: true, value: { next: piece + 1 } };
  });
  peer.push('ask', asking());
  await until(session, ({ activity }) => activity.kind === 'delivered');
  expect(pieces.map(({ byteLength }) => byteLength)).toEqual([
    PIECE_BYTES,
    answerBytes({ uploadCodec: 'float16' }) - PIECE_BYTES,
  ]);
  // 0.5 in float16 is 0x3800.
  const change = Buffer.concat(pieces).subarray(0, PARAMETERS * 2);
  expect(change.every((byte, i) => byte === (i % 2 === 0 ? 0 : 0x38))).toBe(true);
});
