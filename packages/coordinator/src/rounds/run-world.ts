import { ManualClock } from '@coppice/ports';
import {
  type Down,
  type DownName,
  defaultPlan,
  encodeFrame,
  float32Payload,
  type Layout,
  layoutHash,
  type Plan,
  type Round,
  type RoundStart,
  type Task,
  type Update,
  weightsHash,
} from '@coppice/protocol';
import type { ModelWorker } from '../model-worker/model-worker.ts';
import { memoryStorage } from '../storage/memory.ts';
import { memorySpool } from '../storage/memory-spool.ts';
import { newRun } from '../storage/new-run.testing.ts';
import type { Spool } from '../storage/spool.ts';
import type { RunRecord, Storage } from '../storage/storage.ts';
import { RunEngine } from './run-engine.ts';
import type { CurrentModel } from './run-state.ts';

export const layout: Layout = [{ name: 'w', shape: [3], trainable: true }];
export const task: Task = {
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

export const id = (n: number) => n.toString(16).padStart(32, '0');

/** State that an earlier process left behind; without `model`, one that is at its first round. */
export interface Left {
  readonly record: RunRecord;
  readonly storage: Storage;
  readonly spool: Spool;
  readonly weights?: Float32Array;
  readonly clock?: ManualClock;
  readonly model?: CurrentModel;
  readonly lastRound?: Round | null;
  readonly attempt?: number;
}

export function recordOf(plan: Partial<Plan> = {}): RunRecord {
  return {
    id: 'toy-1',
    task,
    plan: { ...defaultPlan, overSelection: 1, ...plan },
    status: 'created',
    createdAt: 0,
    endedAt: null,
    reason: null,
    from: null,
    cause: { by: 'admin', name: 'a test' },
    sequence: 1,
  };
}

/** Puts a run with its first weights into a storage, as a launch does. */
export async function launch(storage: Storage, plan: Partial<Plan>): Promise<void> {
  const { id: _id, sequence: _sequence, ...begun } = recordOf(plan);
  await storage.createRun(newRun(new Float32Array([1, 2, 3]), begun));
}

/** Everything that storage holds of the run, as a coordinator that starts reads it. */
export async function leftIn(storage: Storage, spool: Spool): Promise<Left> {
  const [record] = await storage.runs();
  const latest = await storage.latest('toy-1');
  if (record === undefined || latest === null) throw new Error('no run is stored');
  const { checkpoint, weights, state } = latest;
  const rounds = await storage.rounds('toy-1');
  return {
    record,
    storage,
    spool,
    model: { round: checkpoint.round, hash: checkpoint.hash, weights, state },
    lastRound: rounds.findLast(({ outcome }) => outcome === 'committed') ?? null,
    attempt: rounds.filter(({ round }) => round === checkpoint.round + 1).length + 1,
  };
}

/** A run by itself: time stands still, and messages are kept. */
export async function world(
  plan: Partial<Plan> = {},
  options: {
    evaluate?: ModelWorker['evaluate'];
    /** State of an earlier process. */
    left?: Left;
  } = {},
) {
  const clock = options.left?.clock ?? new ManualClock(1_000_000);
  const storage: Storage = options.left?.storage ?? memoryStorage();
  const spool: Spool = options.left?.spool ?? memorySpool();
  const sent: { to: readonly string[]; name: DownName; message: Down<DownName> }[] = [];
  const rounds: Round[] = [];
  const events: string[] = [];
  const logged: { kind: string; round: number | null }[] = [];
  const weights = options.left?.weights ?? new Float32Array([1, 2, 3]);
  if ((await storage.runs()).length === 0) await launch(storage, plan);
  const record = options.left?.record ?? recordOf(plan);
  const engine = new RunEngine({
    record,
    layout,
    attempt: options.left?.attempt ?? 1,
    storage,
    spool,
    clock,
    model: options.left?.model ?? {
      round: 0,
      hash: weightsHash(weights),
      weights,
      state: { values: {}, tensors: {} },
    },
    central: null,
    lastRound: options.left?.lastRound ?? null,
    audience: {
      send: (to, name, message) => void sent.push({ to: [...to], name, message }),
      bytes: () => ({ up: 0, down: 0 }),
    },
    models: {
      check: () => Promise.reject(new Error('not asked here')),
      layout: () => Promise.reject(new Error('not asked here')),
      describe: () => Promise.reject(new Error('not asked here')),
      samples: () => Promise.reject(new Error('not asked here')),
      evaluate: options.evaluate ?? (() => Promise.resolve({ loss: 1, accuracy: 0.5, examples: 1 })),
      close: () => Promise.resolve(),
    },
    observer: {
      runChanged: () => {},
      roundChanged: (round) => {
        if (round.outcome !== 'open') rounds.push(round);
      },
      participantsChanged: () => {},
      event: ({ kind, round }) => {
        events.push(kind);
        logged.push({ kind, round });
      },
    },
    admission: () => 'open',
  });
  const join = (n: number, has?: string | null) => {
    engine.join(id(n), {
      run: 'toy-1',
      device: 'headless',
      backend: 'cpu',
      examples: 5,
      speed: null,
      paused: false,
      ...(has === undefined ? {} : { has }),
    });
    engine.afterJoin(id(n));
  };
  const starts = () =>
    sent.filter((one) => one.name === 'round-start') as { to: readonly string[]; message: RoundStart }[];
  const lastStart = () => starts().at(-1) as { to: readonly string[]; message: RoundStart };
  const updateOf = (values: readonly number[], examples = 1, change: Partial<Update> = {}): Update => ({
    run: 'toy-1',
    round: lastStart().message.round,
    attempt: lastStart().message.attempt,
    checkpoint: lastStart().message.checkpoint,
    examples,
    loss: 0.5,
    evaluation: { loss: 0.7, accuracy: 0.25, examples: 4 },
    milliseconds: 10,
    frame: encodeFrame({
      kind: 'update',
      codec: 'float32',
      layoutHash: layoutHash(layout),
      parameters: values.length,
      payload: float32Payload(Float32Array.from(values)),
    }),
    ...change,
  });
  /** Lets the asynchronous end of a round (evaluation, storage) run to its end. */
  const settled = async () => {
    for (let i = 0; i < 50; i++) await Promise.resolve();
    await new Promise((resolve) => setImmediate(resolve));
  };
  const ends = () =>
    sent.filter((one) => one.name === 'round-end') as { to: readonly string[]; message: Down<'round-end'> }[];
  /** The process ends without a word; another finds what is on disk. */
  const restart = (left: { weights?: Float32Array; clock?: ManualClock } = {}) =>
    world(plan, { ...options, left: { record: engine.record, storage: memoryStorage(), spool, ...left } });
  return {
    engine,
    clock,
    storage,
    spool,
    restart,
    sent,
    rounds,
    events,
    logged,
    join,
    starts,
    lastStart,
    updateOf,
    settled,
    ends,
  };
}
