import { ExactAccumulator, encodeValues, payloadValues, takeSteps, toFloat32 } from '@coppice/federation';
import { ManualClock } from '@coppice/ports';
import {
  type Codec,
  type CoppiceError,
  type Down,
  type DownName,
  decodeFrame,
  defaultPlan,
  encodeFrame,
  float32Payload,
  frameBytes,
  type Layout,
  layoutHash,
  type Plan,
  pieceCount,
  pieceOf,
  type Round,
  type RoundStart,
  type Task,
  type Update,
  weightsHash,
} from '@coppice/protocol';
import { expect, it } from 'vitest';
import { memoryStorage } from '../storage/memory.ts';
import { memorySpool } from '../storage/memory-spool.ts';
import { newRun } from '../storage/new-run.testing.ts';
import { RunEngine } from './run-engine.ts';

/* A model of three pieces, counted in several turns of the event loop: a round may close in any of them. */
const PARAMETERS = 600_000;
const layout: Layout = [{ name: 'w', shape: [PARAMETERS], trainable: true }];
const weights = Float32Array.from({ length: PARAMETERS }, (_, i) => Math.fround(i / 7));
const task: Task = {
  id: 'toy',
  title: { en: 'Toy' },
  description: { en: 'A toy.' },
  data: {
    kind: 'table',
    features: [{ name: 'x', mean: 0, scale: 1 }],
    target: { kind: 'number', name: 'y' },
  },
  model: { class_name: 'Sequential', config: {} },
  loss: 'meanSquaredError',
  samples: false,
  planDefaults: {},
};
const A = '0'.repeat(31).concat('a');
const B = '0'.repeat(31).concat('b');
const deltas = { [A]: constant(0.25), [B]: constant(-0.125) } as Record<string, Float32Array>;

function constant(value: number): Float32Array {
  return new Float32Array(PARAMETERS).fill(value);
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
  const engine = new RunEngine({
    record: await storage.createRun(
      newRun(weights, {
        task,
        plan: { ...defaultPlan, overSelection: 1, minParticipants: 2, rounds: 1, ...plan },
        status: 'created',
      }),
    ),
    layout,
    admission: () => 'open',
    attempt: 1,
    storage,
    spool: memorySpool(),
    clock,
    model: { round: 0, hash: weightsHash(weights), weights, state: { values: {}, tensors: {} } },
    central: null,
    lastRound: null,
    audience: {
      send: (to, name, message) => void sent.push({ to: [...to], name, message }),
      bytes: () => ({ up: 0, down: 0 }),
    },
    models: {
      check: () => Promise.reject(new Error('not asked here')),
      layout: () => Promise.reject(new Error('not asked here')),
      describe: () => Promise.reject(new Error('not asked here')),
      samples: () => Promise.reject(new Error('not asked here')),
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
  const start = sent.find(({ name }) => name === 'round-start')?.message as RoundStart;
  return { engine, clock, start, rounds, end, sent };
}

/** Announces an update and sends its pieces; what is left is to ask for it to be counted. */
async function deliver(
  engine: RunEngine,
  start: RoundStart,
  participant: string,
  { codec, payload }: { codec: Codec; payload: Uint8Array } = {
    codec: 'float32',
    payload: float32Payload(deltas[participant] as Float32Array),
  },
): Promise<Update> {
  const whole = encodeFrame({
    kind: 'update',
    codec,
    layoutHash: layoutHash(layout),
    parameters: PARAMETERS,
    payload,
  });
  const { run, round, attempt, checkpoint } = start;
  const update: Update = {
    run,
    round,
    attempt,
    checkpoint,
    examples: 5,
    loss: null,
    evaluation: null,
    milliseconds: 1,
    frame: whole.subarray(0, 40),
  };
  expect(await engine.update(participant, update)).toBe(0);
  for (let piece = 0; piece < pieceCount(payload.byteLength); piece++) {
    const bytes = pieceOf(payload, piece);
    expect(await engine.updatePiece(participant, { run, round, attempt, piece, bytes })).toBe(piece + 1);
  }
  return update;
}

/** The name of the model that these participants' updates make. */
function modelOf(participants: readonly string[]): string {
  const sum = new ExactAccumulator(PARAMETERS);
  for (const participant of participants) sum.add(deltas[participant] as Float32Array, 5);
  const mean = sum.mean();
  return weightsHash(weights.map((w, i) => w + (mean[i] as number)));
}

it('travels as a header, and its pieces are the model’s own bytes', async () => {
  const { engine, start } = await begin();
  expect(frameBytes(start.frame).byteLength).toBe(40);
  const pieces = [0, 1, 2].map((piece) => engine.modelPiece(start.checkpoint, 'float32', piece));
  expect(pieces.map(({ buffer }) => buffer)).toEqual([weights.buffer, weights.buffer, weights.buffer]);
  expect(pieces.map(({ byteLength }) => byteLength)).toEqual([1_048_576, 1_048_576, 302_848]);
});

it('two that are complete at once are both counted, each once', async () => {
  const { engine, start, rounds, end } = await begin();
  const ofA = await deliver(engine, start, A);
  const ofB = await deliver(engine, start, B);
  const answers = await Promise.allSettled([
    engine.update(A, ofA),
    engine.update(B, ofB),
    engine.update(A, ofA),
  ]);
  expect(answers.slice(0, 2)).toEqual([
    { status: 'fulfilled', value: null },
    { status: 'fulfilled', value: null },
  ]);
  const again = answers[2] as PromiseRejectedResult;
  expect((again.reason as CoppiceError).code).toBe('update-duplicate');
  await end;
  expect(rounds).toMatchObject([{ outcome: 'committed', accepted: 2, checkpoint: modelOf([A, B]) }]);
});

it('whenever the deadline comes, what was said to count is in the model, and nothing else', async () => {
  const outcomes = new Set<string>();
  for (let turns = 0; turns < 40; turns += 3) {
    const { engine, clock, start, rounds, end } = await begin();
    await engine.update(A, await deliver(engine, start, A));
    const update = await deliver(engine, start, B);
    const counting = engine.update(B, update).then(
      (next) => (next === null ? 'counted' : `wants ${next}`),
      (error: CoppiceError) => error.code,
    );
    for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
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

/** IEEE 754 float16 of each number, as JavaScript rounds it. */
function float16Of(values: Float32Array): Uint8Array {
  const payload = new DataView(new ArrayBuffer(values.length * 2));
  for (let i = 0; i < values.length; i++) payload.setFloat16(i * 2, values[i] as number, true);
  return new Uint8Array(payload.buffer);
}

it('travels rounded to training, in pieces of its own, and as it is to all else', async () => {
  const { engine, start } = await begin({ downloadCodec: 'float16' });
  const { checkpoint } = start;
  const header = frameBytes(start.frame);
  expect([header.byteLength, header[6]]).toEqual([40, 1]);
  const pieces = [0, 1].map((piece) => engine.modelPiece(checkpoint, 'float16', piece));
  expect(pieces.map(({ byteLength }) => byteLength)).toEqual([1_048_576, 151_424]);
  const whole = Buffer.concat([header, ...pieces]);
  const expected = { kind: 'weights', layoutHash: layoutHash(layout), parameters: PARAMETERS } as const;
  const rounded = toFloat32(payloadValues(decodeFrame(whole, expected), layout));
  // What is beyond the largest float16 becomes that.
  expect(rounded).toEqual(weights.map((weight) => Math.f16round(Math.min(weight, 65504))));
  const exact = frameBytes(engine.currentModel(A, null).frame);
  expect([exact.byteLength, exact[6]]).toEqual([40, 0]);
  expect(engine.modelPiece(checkpoint, 'float32', 0).buffer).toBe(weights.buffer);
  for (const [codec, piece] of [
    ['int8', 0],
    ['float16', 2],
  ] as const) {
    expect(() => engine.modelPiece(checkpoint, codec, piece)).toThrow(
      expect.objectContaining({ code: 'message-invalid' }),
    );
  }
});

it('takes updates of the plan’s codec in pieces, and no others', async () => {
  const other = await begin({ uploadCodec: 'float16' });
  await expect(deliver(other.engine, other.start, A)).rejects.toMatchObject({ code: 'update-shape' });
  const { engine, start, rounds, end } = await begin({ uploadCodec: 'float16' });
  const updates = await Promise.all(
    [A, B].map(async (participant) => {
      const payload = float16Of(deltas[participant] as Float32Array);
      return [participant, await deliver(engine, start, participant, { codec: 'float16', payload })] as const;
    }),
  );
  for (const [participant, update] of updates) expect(await engine.update(participant, update)).toBeNull();
  await end;
  // Both deltas are float16 numbers as they stand.
  expect(rounds.at(-1)).toMatchObject({ outcome: 'committed', accepted: 2, checkpoint: modelOf([A, B]) });
});

it.each([
  ['int8', 'sends steps that fit into a message'],
  ['float16', 'sends the whole model where steps do not'],
] as const)('%s: %s', async (codec, _does) => {
  const { engine, start, sent } = await begin(
    { downloadCodec: codec, downloadForm: 'steps', rounds: 2 },
    { has: null },
  );
  for (const participant of [A, B]) {
    expect(await engine.update(participant, await deliver(engine, start, participant))).toBeNull();
  }
  const starts = () => sent.filter(({ name }) => name === 'round-start');
  await expect.poll(() => starts().length).toBe(2);
  const next = starts()[1]?.message as RoundStart;
  const frame = frameBytes(next.frame);
  if (codec === 'float16') {
    expect(next).not.toHaveProperty('base');
    expect([frame.byteLength, frame[5], frame[6]]).toEqual([40, 1, 0]);
    const pieces = [0, 1, 2].map((piece) => engine.modelPiece(next.checkpoint, 'float32', piece));
    const bytes = new Uint8Array(Buffer.concat(pieces));
    expect(weightsHash(new Float32Array(bytes.buffer))).toBe(next.checkpoint);
  } else {
    expect(next.base).toBe(start.checkpoint);
    const expected = { kind: 'steps', layoutHash: layoutHash(layout), parameters: PARAMETERS } as const;
    const { payload } = decodeFrame(frame, expected);
    expect(weightsHash(takeSteps(codec, payload, weights, layout))).toBe(next.checkpoint);
  }
});

it('that come in one message, small as they are encoded, are counted once each, too', async () => {
  const { engine, start, rounds, end } = await begin({ uploadCodec: 'int8' });
  const { run, round, attempt, checkpoint } = start;
  const sum = new ExactAccumulator(PARAMETERS);
  const updates = [A, B].map((participant, seed) => {
    const payload = encodeValues('int8', deltas[participant] as Float32Array, layout, seed);
    sum.add(toFloat32(payloadValues({ codec: 'int8', payload }, layout)), 5);
    const model = { layoutHash: layoutHash(layout), parameters: PARAMETERS };
    const frame = encodeFrame({ kind: 'update', codec: 'int8', ...model, payload });
    return {
      ...{ run, round, attempt, checkpoint, examples: 5, loss: null, evaluation: null, milliseconds: 1 },
      frame,
    };
  });
  const [ofA, ofB] = updates as [Update, Update];
  const answers = await Promise.allSettled([
    engine.update(A, ofA),
    engine.update(A, ofA),
    engine.update(B, ofB),
  ]);
  expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(answers[1]).toMatchObject({ reason: { code: 'update-duplicate' } });
  await end;
  const mean = sum.mean();
  const expected = weightsHash(weights.map((weight, i) => weight + (mean[i] as number)));
  expect(rounds.at(-1)).toMatchObject({ outcome: 'committed', accepted: 2, checkpoint: expected });
});
