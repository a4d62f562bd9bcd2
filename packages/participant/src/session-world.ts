import {
  evaluationLayout,
  readContribution,
  type Tally,
  tallyOf,
  toFloat32,
  trainLayout,
} from '@coppice/federation';
import { ManualClock } from '@coppice/ports';
import {
  type Ask,
  type Codec,
  type ContributionLayout,
  contributionBytes,
  contributionHash,
  contributionSize,
  type Down,
  decodeFrame,
  defaultPlan,
  encodeFrame,
  float32Payload,
  frameBytes,
  type Layout,
  layoutHash,
  type Plan,
  recipeHash,
  sectionsOf,
  type Task,
  travelling,
  type Up,
  weightsHash,
} from '@coppice/protocol';
import type { Trainer } from '@coppice/training';
import { welcome } from './contract.ts';
import type { LocalState } from './local-state.ts';
import { loopback } from './loopback-transport.ts';
import { memoryData } from './memory-data.ts';
import { memoryState } from './memory-state.ts';
import type { ParcelSource } from './parcel-source.ts';
import { createSession, type SessionOptions } from './session.ts';
import type { Session, SessionState } from './session-state.ts';
import { trainerHost } from './trainer-host.ts';

/* A session over a loopback, with a scripted trainer and a coordinator that answers everything. */

/** A model of one tensor, as a coordinator sends it. */
export interface TestModel {
  readonly layout: Layout;
  readonly weights: Float32Array;
  readonly checkpoint: string;
  /** As it travels: whole, or the header alone. */
  readonly frame: Uint8Array;
}

export function modelOf(weights: Float32Array): TestModel {
  const layout: Layout = [{ name: 'w', shape: [weights.length], trainable: true }];
  return { layout, weights, checkpoint: weightsHash(weights), frame: frameOf(weights) };
}

/** The frame of a model, or of another tensor as long as one, by a codec, as it travels. */
export function frameOf(
  values: Float32Array,
  { codec, payload }: { codec: Codec; payload: Uint8Array } = {
    codec: 'float32',
    payload: float32Payload(values),
  },
): Uint8Array {
  const layout: Layout = [{ name: 'w', shape: [values.length], trainable: true }];
  const form = { layoutHash: layoutHash(layout), parameters: values.length };
  return travelling(encodeFrame({ kind: 'weights', codec, ...form, payload }));
}

const toy = modelOf(new Float32Array([1, 2]));
export const { layout, checkpoint, frame } = toy;
export const global = toy.weights;
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
  heldOut: 0.1,
  planDefaults: {},
};
export const summary: Down<'run'>['run'] = {
  id: 'r-1',
  task: 'toy',
  title: { en: 'Toy' },
  status: 'running',
  admission: 'open',
  phase: 'waiting',
  round: 0,
  rounds: 3,
  participants: 1,
  needed: 1,
  deadlineAt: null,
  central: null,
  checkpoint,
};
/** The ticket of the question of an attempt. */
export const ticketOf = (round: number, attempt = 1) => `t${round}-${attempt}.seal`;

/** A question to train in a round. */
export function asking(round = 1, change: Partial<Ask> = {}): Ask {
  const attempt = change.attempt ?? 1;
  return {
    run: 'r-1',
    kind: 'train',
    ticket: ticketOf(round, attempt),
    round,
    attempt,
    remaining: 1000,
    asked: 1,
    parcels: [{ name: 'model', hash: checkpoint, frame }],
    given: {},
    ...change,
  };
}

/** The end of a round that this participant was counted in. */
export function ending(round = 1, change: Partial<Down<'round-end'>> = {}): Down<'round-end'> {
  return {
    run: 'r-1',
    round,
    attempt: 1,
    outcome: 'committed',
    reason: null,
    checkpoint,
    central: null,
    accepted: 1,
    asked: 1,
    you: 'accepted',
    ...change,
  };
}

export const scriptedResult = { lossSum: 0.75, examples: 3, loss: 0.25, steps: 1, milliseconds: 10 };

/** A trainer that adds 0.5 to each weight, when it is let. */
export function scripted(
  step: () => Promise<void> = async () => {},
  model: TestModel = toy,
): Trainer & { trained: number } {
  let weights = new Float32Array(model.weights.length);
  const trainer = {
    backend: 'cpu' as const,
    layout: model.layout,
    trained: 0,
    getWeights: async () => weights,
    setWeights: (given: Float32Array) => {
      weights = given.slice();
    },
    async train(_data: unknown, _how: unknown, { signal }: { signal?: AbortSignal } = {}) {
      trainer.trained++;
      await step();
      signal?.throwIfAborted();
      return { ...scriptedResult, weights: weights.map((w) => w + 0.5) };
    },
    gradient: async () => weights.map(() => 0),
    measure: async ({ count }: { count: number }) => ({
      lossSum: count,
      examples: count,
      hits: null,
      perClass: null,
    }),
    evaluate: async (data: { count: number }) => ({ loss: 1, accuracy: null, examples: data.count }),
    predict: async () => new Float32Array(1),
    predictWithFeatures: async () => ({ outputs: new Float32Array(1), features: null }),
    dispose: () => {},
  };
  return trainer;
}

export async function world({
  model = toy,
  plan = {},
  trainer = scripted(undefined, model),
  examples = 4,
  localState = memoryState(),
  keepModels = true,
  opened = Promise.resolve(),
  dropsOut,
  parcels,
  monitoring,
  openData,
}: {
  model?: TestModel;
  plan?: Partial<Plan>;
  trainer?: Trainer;
  /** Of the four, one is held out at the share of task and plan. */
  examples?: number;
  localState?: LocalState;
  keepModels?: boolean;
  /** Until then the data is being opened. */
  opened?: Promise<void>;
  dropsOut?: (round: number, attempt: number) => boolean;
  parcels?: ParcelSource | undefined;
  monitoring?: SessionOptions['monitoring'];
  /** In place of `examples`. */
  openData?: SessionOptions['openData'];
} = {}) {
  const { transport, peer } = loopback();
  const clock = new ManualClock(1000);
  const told: { name: string; message: unknown }[] = [];
  const session = createSession({
    transport,
    host: trainerHost(async () => trainer, ['cpu']),
    openData:
      openData ??
      (async (_task, schema) => {
        await opened;
        return memoryData(schema, {
          count: examples,
          features: new Float32Array(examples),
          labels: new Float32Array(examples),
        });
      }),
    splitSecret: new Uint8Array(32).fill(5),
    localState,
    clock,
    device: 'headless',
    backend: 'cpu',
    keepModels,
    parcels,
    ...(monitoring === undefined ? {} : { monitoring }),
    ...(dropsOut === undefined ? {} : { dropsOut }),
  });
  const full: Plan = { ...defaultPlan, ...plan };
  const answers = layoutsOf(full, model.layout);
  const { checkpoint } = model;
  const joined = {
    ok: true as const,
    value: {
      run: summary,
      task,
      plan: full,
      layout: model.layout,
      answers: { train: [...answers.train], evaluate: [...answers.evaluate] },
      checkpoint,
      recipe: recipeHash(task.data),
    },
  };
  peer.answer('join', (message) => {
    told.push({ name: 'join', message });
    return joined;
  });
  peer.answer('pull', () => ({ ok: true, value: { round: 0, checkpoint, frame: model.frame } }));
  for (const name of ['leave', 'availability', 'decline'] as const) {
    peer.answer(name, (message) => {
      told.push({ name, message });
      return { ok: true, value: null };
    });
  }
  peer.answer('answer', (message) => {
    told.push({ name: 'answer', message });
    return { ok: true, value: { duplicate: false, next: null } };
  });
  /** Answers that counted, of which the end may not have been told. */
  const counted = new Map<string, boolean | null>();
  peer.answer('counted', (message) => {
    told.push({ name: 'counted', message });
    return {
      ok: true,
      value: {
        counted: message.tickets.map((ticket) =>
          counted.has(ticket) ? (counted.get(ticket) ?? null) : false,
        ),
      },
    };
  });
  session.connect();
  const messages = (name: string) => told.filter((one) => one.name === name).map((one) => one.message);
  const enter = async () => {
    const joining = session.join('r-1');
    peer.welcome({ ...welcome, runs: [summary] });
    await joining;
    await until(session, (state) => state.joined !== null && (!keepModels || state.model !== null));
  };
  /** The answers that came, as they are read. */
  const answered = (kind: 'train' | 'evaluate' = 'train') =>
    (messages('answer') as Up<'answer'>[]).map((answer) =>
      readAnswer(answer, answers[kind], kind === 'train' ? full.uploadCodec : 'float32'),
    );
  return { session, peer, told, messages, enter, clock, counted, answered, joined, plan: full };
}

export function until(session: Session, reached: (state: SessionState) => boolean): Promise<SessionState> {
  return new Promise((resolve) => {
    if (reached(session.state)) return resolve(session.state);
    const stop = session.subscribe((state) => {
      if (!reached(state)) return;
      stop();
      resolve(state);
    });
  });
}

export const doing = (kind: string) => (state: SessionState) => state.activity.kind === kind;

export function layoutsOf(
  plan: Plan,
  of: Layout = layout,
): { train: ContributionLayout; evaluate: ContributionLayout } {
  return { train: trainLayout(of, task, plan), evaluate: evaluationLayout(task, plan) };
}

export interface ReadAnswer {
  readonly ticket: string;
  readonly weight: number;
  /** By group, as numbers. */
  readonly vectors: Readonly<Record<string, number[]>>;
  readonly train: Tally | null;
  readonly held: Tally | null;
}

/** An answer as a coordinator reads it. */
export function readAnswer(
  { ticket, weight, frame: sent }: Up<'answer'>,
  of: ContributionLayout,
  codec: Plan['uploadCodec'],
): ReadAnswer {
  const sections = sectionsOf(of);
  const expected = {
    kind: 'contribution',
    codec,
    layoutHash: contributionHash(of),
    parameters: contributionSize(of),
    bytes: (by: Plan['uploadCodec']) => contributionBytes(by, sections),
  } as const;
  const { payload } = decodeFrame(frameBytes(sent), expected);
  const { vectors, measures } = readContribution(codec, payload, sections);
  return {
    ticket,
    weight,
    vectors: Object.fromEntries([...vectors].map(([group, values]) => [group, [...toFloat32(values)]])),
    train: tallyOf('train', measures),
    held: tallyOf('held', measures),
  };
}
