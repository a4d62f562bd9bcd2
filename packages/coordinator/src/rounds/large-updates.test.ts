import { ExactAccumulator } from '@coppice/federation';
import { ManualClock } from '@coppice/ports';
import {
  type CoppiceError,
  type Down,
  type DownName,
  defaultPlan,
  encodeFrame,
  float32Payload,
  frameBytes,
  type Layout,
  layoutHash,
  type Plan,
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

async function begin(plan: Partial<Plan> = {}) {
  const clock = new ManualClock(1_000_000);
  const storage = memoryStorage();
  const sent: { to: readonly string[]; name: DownName; message: Down<DownName> }[] = [];
  const rounds: Round[] = [];
  let ended: () => void = () => {};
  const end = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const engine = new RunEngine({
    record: {
      id: 'toy-1',
      task,
      plan: { ...defaultPlan, overSelection: 1, minParticipants: 2, rounds: 1, ...plan },
      status: 'created',
      createdAt: 0,
      endedAt: null,
      reason: null,
    },
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
    evaluator: {
      check: () => Promise.reject(new Error('not asked here')),
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
    });
  }
  await engine.act('start');
  const start = sent.find(({ name }) => name === 'round-start')?.message as RoundStart;
  return { engine, clock, start, rounds, end };
}

/** Announces an update and sends its pieces; what is left is to ask for it to be counted. */
async function deliver(engine: RunEngine, start: RoundStart, participant: string): Promise<Update> {
  const payload = float32Payload(deltas[participant] as Float32Array);
  const whole = encodeFrame({
    kind: 'update',
    codec: 'float32',
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
  for (const piece of [0, 1, 2]) {
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
