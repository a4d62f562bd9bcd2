import { encodeMeasures, measuresOf, pipelineOf, tallyMeasures, trainLayout } from '@coppice/federation';
import { ManualClock } from '@coppice/ports';
import {
  type Answer,
  type Ask,
  contributionHash,
  contributionSize,
  defaultPlan,
  encodeFrame,
  type Layout,
  type Metrics,
  type Plan,
  sectionsOf,
  type Task,
  weightsHash,
} from '@coppice/protocol';
import { sampleTask } from '@coppice/protocol/testing';
import { describe, expect, it } from 'vitest';
import { memoryStorage } from '../storage/memory.ts';
import { memorySpool } from '../storage/memory-spool.ts';
import { RunEngine } from './run-engine.ts';

const task: Task = sampleTask;
const layout: Layout = [{ name: 'dense/kernel', shape: [3], trainable: true }];
const plan: Plan = { ...defaultPlan, overSelection: 1, quorum: 0.5, evaluationShare: 0, rounds: 2 };
const weights = new Float32Array([1, 2, 3]);
const id = (n: number) => n.toString(16).padStart(32, '0');

/** A run whose model is evaluated when `evaluated` is called. */
function world() {
  const asks = new Map<string, Ask>();
  const ends: unknown[] = [];
  let evaluated: (metrics: Metrics) => void = () => {};
  const engine = new RunEngine({
    record: {
      id: 'toy-1',
      task,
      plan,
      status: 'created',
      createdAt: 0,
      endedAt: null,
      reason: null,
      from: null,
      cause: { by: 'admin', name: 'a test' },
      sequence: 1,
    },
    layout,
    attempt: 1,
    storage: memoryStorage(),
    spool: memorySpool(),
    clock: new ManualClock(1_000_000),
    model: { round: 0, hash: weightsHash(weights), weights, state: { values: {}, tensors: {} } },
    central: null,
    lastRound: null,
    secret: 'a secret',
    audience: {
      send: (to, name, message) => {
        if (name === 'ask') for (const one of to) asks.set(one, message as Ask);
        if (name === 'round-end') ends.push(message);
      },
      bytes: () => ({ up: 0, down: 0 }),
    },
    models: {
      check: () => Promise.reject(new Error('not asked here')),
      layout: () => Promise.reject(new Error('not asked here')),
      describe: () => Promise.reject(new Error('not asked here')),
      samples: () => Promise.reject(new Error('not asked here')),
      evaluate: () =>
        new Promise((resolve) => {
          evaluated = resolve;
        }),
      close: () => Promise.resolve(),
    },
    observer: {
      runChanged: () => {},
      roundChanged: () => {},
      participantsChanged: () => {},
      event: () => {},
    },
    admission: () => 'open',
  });
  const join = (n: number) => {
    const about = { device: 'headless', backend: 'cpu', examples: 5, speed: null, paused: false } as const;
    engine.join(id(n), { run: 'toy-1', ...about });
    engine.afterJoin(id(n));
  };
  const ticket = (n: number) => asks.get(id(n))?.ticket as string;
  const settled = async () => {
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
  };
  return {
    engine,
    join,
    ticket,
    ends,
    settled,
    evaluate: () => evaluated({ loss: 1, accuracy: 0.5, examples: 1 }),
  };
}

function answerOf(ticket: string, values: readonly number[]): Answer {
  const answers = trainLayout(layout, task, plan);
  const tally = { examples: 5, loss: 2.5, lossExamples: 5, hits: null, classes: null };
  const { payload } = pipelineOf(plan).onParticipant(
    new Map([['model', Float32Array.from(values)]]),
    encodeMeasures(measuresOf(answers), tallyMeasures('train', tally)),
    new Map(),
    { sections: sectionsOf(answers), round: 1, seed: 1 },
  );
  const header = { layoutHash: contributionHash(answers), parameters: contributionSize(answers) };
  const frame = encodeFrame({ kind: 'contribution', codec: 'float32', ...header, payload });
  return { run: 'toy-1', ticket, weight: 5, milliseconds: 10, frame };
}

describe('a question that is closed, and whose round is not over', () => {
  it('has neither counted nor not, and its answers are known as such', async () => {
    const w = world();
    await w.engine.act('start');
    for (const n of [1, 2]) w.join(n);
    const [first, second] = [w.ticket(1), w.ticket(2)];
    await w.engine.answer(id(1), answerOf(first, [1, 0, 0]));
    w.engine.decline(id(2), { run: 'toy-1', ticket: second, reason: 'dropout' });
    await w.settled();
    // The new model is being evaluated.
    expect(w.engine.summary().phase).toBe('evaluate');
    expect(await w.engine.counted(id(1), [first])).toEqual([null]);
    expect(await w.engine.answer(id(1), answerOf(first, [1, 0, 0]))).toEqual({ duplicate: true, next: null });
    await expect(w.engine.answer(id(2), answerOf(second, [1, 0, 0]))).rejects.toMatchObject({
      code: 'update-late',
    });

    w.evaluate();
    await w.settled();
    expect(w.ends).toMatchObject([
      { round: 1, outcome: 'committed', you: 'accepted' },
      { round: 1, outcome: 'committed', you: 'declined' },
    ]);
    expect(await w.engine.counted(id(1), [first])).toEqual([true]);
    expect(await w.engine.counted(id(2), [second])).toEqual([false]);
    expect(await w.engine.answer(id(1), answerOf(first, [1, 0, 0]))).toEqual({ duplicate: true, next: null });
  });
});
