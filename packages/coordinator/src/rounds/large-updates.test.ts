import {
  ExactAccumulator,
  encodeValues,
  finish,
  payloadValues,
  takeSteps,
  toFloat32,
} from '@coppice/federation';
import { ManualClock } from '@coppice/ports';
import {
  type Answer,
  type Ask,
  type Codec,
  type CoppiceError,
  type Down,
  type DownName,
  decodeFrame,
  defaultPlan,
  float32Payload,
  frameBytes,
  type Layout,
  layoutHash,
  type Plan,
  pieceCount,
  pieceOf,
  type Round,
  weightsHash,
} from '@coppice/protocol';
import { expect, it } from 'vitest';
import type { Receipt } from '../exchanges/exchange.ts';
import { memoryStorage } from '../storage/memory.ts';
import { memorySpool } from '../storage/memory-spool.ts';
import { newRun } from '../storage/new-run.testing.ts';
import { pieceOfModel } from './packed-model.ts';
import { RunEngine } from './run-engine.ts';
import { runForms } from './run-forms.ts';
import { packRun } from './run-state.ts';
import { task, trainFrame } from './run-world.ts';

/* A model of three pieces, counted in several turns of the event loop: a round may close in any of them. */
const PARAMETERS = 600_000;
const layout: Layout = [{ name: 'w', shape: [PARAMETERS], trainable: true }];
const weights = Float32Array.from({ length: PARAMETERS }, (_, i) => Math.fround(i / 7));
const A = '0'.repeat(31).concat('a');
const B = '0'.repeat(31).concat('b');
const deltas = { [A]: constant(0.25), [B]: constant(-0.125) } as Record<string, Float32Array>;

function constant(value: number): Float32Array {
  return new Float32Array(PARAMETERS).fill(value);
}

type World = Awaited<ReturnType<typeof begin>>;

/** A change of the model as a codec writes it. */
interface Change {
  readonly codec: Codec;
  readonly change: Uint8Array;
}

async function begin(plan: Partial<Plan> = {}, { has }: { has?: string | null } = {}) {
  const clock = new ManualClock(1_000_000);
  const storage = memoryStorage();
  const sent: { to: readonly string[]; name: DownName; message: Down<DownName> }[] = [];
  const rounds: Round[] = [];
  let ended: () => void = () => {};
  const end = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const record = await storage.createRun(
    newRun(weights, {
      task,
      plan: { ...defaultPlan, overSelection: 1, minParticipants: 2, rounds: 1, firstNorm: null, ...plan },
      status: 'created',
    }),
  );
  const first = { round: 0, hash: weightsHash(weights), weights, state: { values: {}, tensors: {} } };
  const engine = new RunEngine({
    record,
    packed: finish(packRun({ record, layout, model: first })),
    layout,
    agreeScaling: () => Promise.reject(new Error('not asked here')),
    admission: () => 'open',
    attempt: 1,
    storage,
    spool: memorySpool(),
    clock,
    model: first,
    central: null,
    lastRound: null,
    secret: 'a secret',
    audience: {
      send: (to, name, message) => void sent.push({ to: [...to], name, message }),
      bytes: () => ({ up: 0, down: 0 }),
    },
    models: {
      check: () => Promise.reject(new Error('not asked here')),
      layout: () => Promise.reject(new Error('not asked here')),
      describe: () => Promise.reject(new Error('not asked here')),
      export: () => Promise.reject(new Error('not asked here')),
      samples: () => Promise.reject(new Error('not asked here')),
      readWeights: () => Promise.reject(new Error('not asked here')),
      fitWeights: () => Promise.reject(new Error('not asked here')),
      evaluate: () => Promise.resolve({ loss: 1, accuracy: 0.5, examples: 1 }),
      close: () => Promise.resolve(),
    },
    observer: {
      runChanged: () => {},
      roundChanged: (round) => {
        if (round.outcome === 'open') return;
        rounds.push(round);
        ended();
      },
      participantsChanged: () => {},
      event: () => {},
    },
  });
  for (const participant of [A, B]) {
    engine.join(participant, {
      run: 'toy-1',
      device: 'headless',
      backend: 'cpu',
      examples: 5,
      speed: null,
      paused: false,
      ...(has === undefined ? {} : { has }),
    });
  }
  await engine.act('start');
  const asks = () =>
    sent.flatMap(({ name, to, message }) => (name === 'ask' ? [{ to, ask: message as Ask }] : []));
  const [model] = asks()[0]?.ask.parcels ?? [];
  const ticketOf = (participant: string) =>
    asks().findLast(({ to }) => to.includes(participant))?.ask.ticket as string;
  const forms = runForms(layout, task, engine.record.plan);
  return { engine, clock, model: model as Ask['parcels'][number], rounds, end, asks, ticketOf, forms };
}

const counted: Receipt = { duplicate: false, next: null };
const duplicate: Receipt = { duplicate: true, next: null };

/** A whole answer: the model's change as the codec writes it, and measures. */
function answerOf(
  { ticketOf, forms }: Pick<World, 'ticketOf' | 'forms'>,
  participant: string,
  { codec, change }: Change = {
    codec: 'float32',
    change: float32Payload(deltas[participant] as Float32Array),
  },
): Answer {
  const frame = trainFrame(forms.layouts.train, [change], { weight: 5, codec, evaluation: null });
  return { run: 'toy-1', ticket: ticketOf(participant), weight: 5, milliseconds: 1, frame };
}

/** Announces an answer and sends its pieces; all that is left is to ask for it to be counted. */
async function deliver(w: World, participant: string, change?: Change): Promise<Answer> {
  const { engine } = w;
  const whole = answerOf(w, participant, change);
  const payload = frameBytes(whole.frame).subarray(40);
  const answer = { ...whole, frame: frameBytes(whole.frame).subarray(0, 40) };
  expect(await engine.answer(participant, answer)).toEqual({ duplicate: false, next: 0 });
  const { ticket } = answer;
  for (let piece = 0; piece < pieceCount(payload.byteLength); piece++) {
    const bytes = pieceOf(payload, piece);
    expect(await engine.answerPiece(participant, { run: 'toy-1', ticket, piece, bytes })).toBe(piece + 1);
  }
  return answer;
}

/** The name of the model that these participants' updates make. */
function modelOf(participants: readonly string[]): string {
  const sum = new ExactAccumulator(PARAMETERS);
  for (const participant of participants) sum.add(deltas[participant] as Float32Array, 5);
  const mean = sum.mean();
  return weightsHash(weights.map((w, i) => w + (mean[i] as number)));
}

it('travels as a header, and its pieces are the model’s own bytes', async () => {
  const { engine, model } = await begin();
  expect(frameBytes(model.frame).byteLength).toBe(40);
  const pieces = [0, 1, 2].map((piece) => pieceOfModel(engine.parcel(model.hash, 'float32'), piece));
  expect(pieces.map(({ buffer }) => buffer)).toEqual([weights.buffer, weights.buffer, weights.buffer]);
  expect(pieces.map(({ byteLength }) => byteLength)).toEqual([1_048_576, 1_048_576, 302_848]);
});

it('two that are complete at once are both counted, each once', async () => {
  const w = await begin();
  const { engine, rounds, end } = w;
  const ofA = await deliver(w, A);
  const ofB = await deliver(w, B);
  const receipts = await Promise.all([
    engine.answer(A, ofA),
    engine.answer(B, ofB),
    engine.answer(A, ofA),
    engine.answer(A, ofA),
  ]);
  expect(receipts).toEqual([counted, counted, duplicate, duplicate]);
  await end;
  expect(rounds).toMatchObject([{ outcome: 'committed', accepted: 2, checkpoint: modelOf([A, B]) }]);
});

it('whenever the deadline comes, what was said to count is in the model, and nothing else', async () => {
  const outcomes = new Set<string>();
  for (let turns = 0; turns < 40; turns += 3) {
    const w = await begin();
    const { engine, clock, rounds, end } = w;
    await engine.answer(A, await deliver(w, A));
    const delivering = deliver(w, B).then(async (answer) => {
      const { next } = await engine.answer(B, answer);
      return next === null ? 'counted' : `wants ${next}`;
    });
    const counting = delivering.catch((error: CoppiceError) => error.code);
    for (let turn = 0; turn < turns; turn++) await turnOver(turn);
    clock.advance(defaultPlan.deadlineSeconds * 1000);
    const outcome = await counting;
    outcomes.add(outcome);
    await end;
    const counted = outcome === 'counted' ? [A, B] : [A];
    expect(rounds, `after ${turns} turns`).toMatchObject([
      { outcome: 'committed', accepted: counted.length, checkpoint: modelOf(counted) },
    ]);
  }
  // Both sides of the line were met.
  expect([...outcomes].toSorted()).toEqual(['counted', 'update-late']);
});

/** First a microtask at a time: pieces come in a few of them. Then a turn of the event loop. */
function turnOver(turn: number): Promise<unknown> {
  return turn < 15 ? Promise.resolve() : new Promise(setImmediate);
}

/** IEEE 754 float16 of each number, as JavaScript rounds it. */
function float16Of(values: Float32Array): Uint8Array {
  const payload = new DataView(new ArrayBuffer(values.length * 2));
  for (let i = 0; i < values.length; i++) payload.setFloat16(i * 2, values[i] as number, true);
  return new Uint8Array(payload.buffer);
}

it('travels rounded to training, in pieces of its own, and as it is to all else', async () => {
  const { engine, model } = await begin({ downloadCodec: 'float16' });
  const { hash } = model;
  const header = frameBytes(model.frame);
  expect([header.byteLength, header[6]]).toEqual([40, 1]);
  const pieces = [0, 1].map((piece) => pieceOfModel(engine.parcel(hash, 'float16'), piece));
  expect(pieces.map(({ byteLength }) => byteLength)).toEqual([1_048_576, 151_424]);
  const whole = Buffer.concat([header, ...pieces]);
  const expected = { kind: 'weights', layoutHash: layoutHash(layout), parameters: PARAMETERS } as const;
  const rounded = toFloat32(payloadValues(decodeFrame(whole, expected), layout));
  // What is beyond the largest float16 becomes that.
  expect(rounded).toEqual(weights.map((weight) => Math.f16round(Math.min(weight, 65504))));
  const exact = frameBytes(engine.currentModel(A, null).frame);
  expect([exact.byteLength, exact[6]]).toEqual([40, 0]);
  expect(pieceOfModel(engine.parcel(hash, 'float32'), 0).buffer).toBe(weights.buffer);
  for (const [codec, piece] of [
    ['int8', 0],
    ['float16', 2],
  ] as const) {
    expect(() => pieceOfModel(engine.parcel(hash, codec), piece)).toThrow(
      expect.objectContaining({ code: 'message-invalid' }),
    );
  }
});

it('takes updates of the plan’s codec in pieces, and no others', async () => {
  const other = await begin({ uploadCodec: 'float16' });
  await expect(deliver(other, A)).rejects.toMatchObject({ code: 'update-shape' });
  const w = await begin({ uploadCodec: 'float16' });
  const { engine, rounds, end } = w;
  const answers = await Promise.all(
    [A, B].map(async (participant) => {
      const change = float16Of(deltas[participant] as Float32Array);
      return [participant, await deliver(w, participant, { codec: 'float16', change })] as const;
    }),
  );
  for (const [participant, answer] of answers)
    expect(await engine.answer(participant, answer)).toEqual(counted);
  await end;
  // Both deltas are float16 numbers as they stand.
  expect(rounds.at(-1)).toMatchObject({ outcome: 'committed', accepted: 2, checkpoint: modelOf([A, B]) });
});

it.each([
  ['int8', 'sends steps that fit into a message'],
  ['float16', 'sends the whole model where steps do not'],
] as const)('%s: %s', async (codec, _does) => {
  const w = await begin({ downloadCodec: codec, downloadForm: 'steps', rounds: 2 }, { has: null });
  const { engine, model } = w;
  for (const participant of [A, B]) {
    expect(await engine.answer(participant, await deliver(w, participant))).toEqual(counted);
  }
  await expect.poll(() => w.asks().length).toBe(4);
  const next = w.asks()[3]?.ask.parcels[0] as Ask['parcels'][number];
  const frame = frameBytes(next.frame);
  if (codec === 'float16') {
    expect(next).not.toHaveProperty('base');
    expect([frame.byteLength, frame[5], frame[6]]).toEqual([40, 1, 0]);
    const pieces = [0, 1, 2].map((piece) => pieceOfModel(engine.parcel(next.hash, 'float32'), piece));
    const bytes = new Uint8Array(Buffer.concat(pieces));
    expect(weightsHash(new Float32Array(bytes.buffer))).toBe(next.hash);
  } else {
    expect(next.base).toBe(model.hash);
    const expected = { kind: 'steps', layoutHash: layoutHash(layout), parameters: PARAMETERS } as const;
    const { payload } = decodeFrame(frame, expected);
    expect(weightsHash(takeSteps(codec, payload, weights, layout))).toBe(next.hash);
  }
});

it('that come in one message, small as they are encoded, are counted once each, too', async () => {
  const w = await begin({ uploadCodec: 'int8' });
  const { engine, rounds, end } = w;
  const sum = new ExactAccumulator(PARAMETERS);
  const [ofA, ofB] = [A, B].map((participant, seed) => {
    const change = encodeValues('int8', deltas[participant] as Float32Array, layout, seed);
    sum.add(toFloat32(payloadValues({ codec: 'int8', payload: change }, layout)), 5);
    return answerOf(w, participant, { codec: 'int8', change });
  }) as [Answer, Answer];
  const receipts = await Promise.all([
    engine.answer(A, ofA),
    engine.answer(A, ofA),
    engine.answer(A, ofA),
    engine.answer(B, ofB),
  ]);
  expect(receipts).toEqual([counted, duplicate, duplicate, counted]);
  await end;
  const mean = sum.mean();
  const expected = weightsHash(weights.map((weight, i) => weight + (mean[i] as number)));
  expect(rounds.at(-1)).toMatchObject({ outcome: 'committed', accepted: 2, checkpoint: expected });
});
