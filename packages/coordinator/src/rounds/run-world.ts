import { encodeMeasures, finish, type Strategy, tallyMeasures } from '@coppice/federation';
import { ManualClock } from '@coppice/ports';
import {
  type AgreedScaling,
  type Answer,
  type Ask,
  type Codec,
  type ContributionLayout,
  contributionHash,
  contributionSize,
  type Down,
  type DownName,
  defaultPlan,
  encodeFrame,
  float32Payload,
  type Layout,
  type Metrics,
  type Plan,
  type Round,
  type Task,
  weightsHash,
} from '@coppice/protocol';
import type { ModelWorker } from '../model-worker/model-worker.ts';
import { memoryStorage } from '../storage/memory.ts';
import { memorySpool } from '../storage/memory-spool.ts';
import { newRun } from '../storage/new-run.testing.ts';
import type { Spool } from '../storage/spool.ts';
import type { RunRecord, Storage } from '../storage/storage.ts';
import { RunEngine } from './run-engine.ts';
import { runForms } from './run-forms.ts';
import { type CurrentModel, packRun } from './run-state.ts';

export const layout: Layout = [{ name: 'w', shape: [3], trainable: true }];
export const task: Task = {
  id: 'toy',
  title: { en: 'Toy' },
  description: { en: 'A toy.' },
  data: {
    kind: 'table',
    features: [{ name: 'x', mean: 0, scale: 1 }],
    target: { kind: 'class', name: 'y', classes: ['no', 'yes'] },
  },
  model: { class_name: 'Sequential', config: {} },
  loss: 'categoricalCrossentropy',
  samples: false,
  heldOut: 0.1,
  planDefaults: {},
};

export const id = (n: number) => n.toString(16).padStart(32, '0');

/** State that an earlier process left behind; without `model`, a run at its first round. */
export interface Left {
  readonly record: RunRecord;
  readonly storage: Storage;
  readonly spool: Spool;
  readonly weights?: Float32Array;
  readonly clock?: ManualClock;
  readonly model?: CurrentModel;
  readonly lastRound?: Round | null;
  readonly rounds?: readonly Round[];
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

/** Stores a run with its initial weights, as a launch does. */
export async function launch(storage: Storage, plan: Partial<Plan>): Promise<void> {
  const { id: _id, sequence: _sequence, ...begun } = recordOf(plan);
  await storage.createRun(newRun(new Float32Array([1, 2, 3]), begun));
}

/** Loads the stored state of the run, as a starting coordinator does. */
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
    rounds,
    attempt: rounds.filter(({ round }) => round === checkpoint.round + 1).length + 1,
  };
}

/** A sent message, with its recipients. */
export interface Sent<N extends DownName> {
  readonly to: readonly string[];
  readonly message: Told<N>;
}

/** A message that a run sends: its questions are none of a task. */
type Told<N extends DownName> = N extends 'ask' ? Ask : Down<N>;

/** Concatenates float32 numbers to a frame's payload. */
function payloadOf(parts: readonly (Uint8Array | Float32Array)[]): Uint8Array {
  return Buffer.concat(parts.map((part) => (part instanceof Uint8Array ? part : float32Payload(part))));
}

/** Measures that yield these metrics; all examples are of the first of `classes` classes. */
function heldOf({ loss, accuracy, examples }: Metrics, classes = 2) {
  const hits = Math.round((accuracy ?? 0) * examples);
  const first = (count: number) => Array.from({ length: classes }, (_, i) => (i === 0 ? count : 0));
  return tallyMeasures('held', {
    examples,
    loss: (loss ?? 0) * examples,
    lossExamples: loss === null ? 0 : examples,
    hits,
    classes: { examples: first(examples), hits: first(hits) },
  });
}

/** Parts of an answer to train; left out, those of an ordinary one. */
export interface AnswerParts {
  /** Number of training examples in the measures; left out: the weight. */
  readonly trained?: number;
  readonly loss?: number | null;
  /** Metrics of the received model on held-out examples; `null`: there are none. */
  readonly evaluation?: Metrics | null;
  readonly codec?: Codec;
}

/** Encodes the frame of a contribution: its vectors, one after another, and measures. */
export function trainFrame(
  form: ContributionLayout,
  vectors: readonly (Uint8Array | Float32Array)[],
  { weight, trained = weight, loss = 0.5, evaluation, codec = 'float32' }: AnswerParts & { weight: number },
): Uint8Array {
  const measures = new Map([
    ...tallyMeasures('train', {
      examples: trained,
      loss: (loss ?? 0) * trained,
      lossExamples: loss === null ? 0 : trained,
      hits: null,
      classes: null,
    }),
    ...heldOf(
      evaluation ?? { loss: 0.7, accuracy: 0.25, examples: evaluation === null ? 0 : 4 },
      form.find(({ name }) => name === 'held/class-examples')?.shape[0],
    ),
  ]);
  const numbers = encodeMeasures(
    form.filter(({ role }) => role === 'measure'),
    measures,
  );
  return encodeFrame({
    kind: 'contribution',
    codec,
    layoutHash: contributionHash(form),
    parameters: contributionSize(form),
    payload: payloadOf([...vectors, numbers]),
  });
}

/** A run in isolation: time stands still, and messages are recorded. */
export async function world(
  plan: Partial<Plan> = {},
  options: {
    evaluate?: ModelWorker['evaluate'];
    /** State of an earlier process. */
    left?: Left;
    /** Data of the task in place of the usual one. */
    data?: Task['data'];
    /** Stores an agreed scaling, or fails to. */
    agree?: (agreed: AgreedScaling) => Promise<void>;
    strategy?: Strategy;
    /** Layout of the model; left out, one of three numbers. */
    layout?: Layout;
  } = {},
) {
  const { layout: modelLayout = layout } = options;
  const clock = options.left?.clock ?? new ManualClock(1_000_000);
  const storage: Storage = options.left?.storage ?? memoryStorage();
  const spool: Spool = options.left?.spool ?? memorySpool();
  const sent: { to: readonly string[]; name: DownName; message: Down<DownName> }[] = [];
  const rounds: Round[] = [];
  const events: string[] = [];
  const logged: { kind: string; round: number | null }[] = [];
  const weights = options.left?.weights ?? new Float32Array([1, 2, 3]);
  if ((await storage.runs()).length === 0) await launch(storage, plan);
  const { data = task.data } = options;
  const record = options.left?.record ?? { ...recordOf(plan), task: { ...task, data } };
  const scalings: AgreedScaling[] = [];
  const model = options.left?.model ?? {
    round: 0,
    hash: weightsHash(weights),
    weights,
    state: options.strategy?.server.init({ layout: modelLayout, weights }) ?? { values: {}, tensors: {} },
  };
  const { strategy } = options;
  const engine: RunEngine = new RunEngine({
    record,
    layout: modelLayout,
    packed: finish(packRun({ record, layout: modelLayout, model, strategy })),
    attempt: options.left?.attempt ?? 1,
    storage,
    spool,
    clock,
    model,
    central: null,
    secret: String(record.plan.seed),
    strategy,
    lastRound: options.left?.lastRound ?? null,
    rounds: options.left?.rounds ?? [],
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
    agreeScaling: async (_, agreed) => {
      scalings.push(agreed);
      await options.agree?.(agreed);
      await engine.takeScaling(agreed);
    },
    admission: () => 'open',
  });
  const join = (n: number, has?: string | null, examples = 1000) => {
    const joined = engine.join(id(n), {
      run: 'toy-1',
      device: 'headless',
      backend: 'cpu',
      examples,
      speed: null,
      paused: false,
      ...(has === undefined ? {} : { has }),
    });
    engine.afterJoin(id(n));
    return joined;
  };
  const messages = <N extends DownName>(name: N): Sent<N>[] =>
    sent.flatMap((one) => (one.name === name ? [{ to: one.to, message: one.message as Told<N> }] : []));
  const asks = (kind: Ask['kind'] = 'train') =>
    messages('ask').filter(({ message }) => message.kind === kind);
  /** The questions of the last round with any, one for each participant. */
  const lastAsks = () => {
    const all = asks();
    const last = all.at(-1)?.message;
    return all.filter(({ message }) => message.round === last?.round && message.attempt === last.attempt);
  };
  /** Participants that the last round asked. */
  const asked = () => lastAsks().flatMap(({ to }) => to);
  const lastAsk = () => asks().at(-1) as Sent<'ask'>;
  /** The ticket of a participant's last question; for one that was not asked, another's last ticket. */
  const ticketOf = (participant: string) =>
    (asks().findLast(({ to }) => to.includes(participant)) ?? lastAsk()).message.ticket;
  const forms = runForms(modelLayout, task, record.plan, options.strategy);
  /** A participant's answer to its last question: steps of the model, and additions of its strategy. */
  const answerOf = (
    participant: string,
    values: readonly number[],
    weight = 1,
    { more = [], ...parts }: AnswerParts & { more?: readonly (readonly number[])[] } = {},
  ): Answer => ({
    run: 'toy-1',
    ticket: ticketOf(participant),
    weight,
    milliseconds: 10,
    frame: trainFrame(
      forms.layouts.train,
      [values, ...more].map((group) => Float32Array.from(group)),
      { weight, ...parts },
    ),
  });
  const answers = (
    n: number,
    values: readonly number[],
    weight = 1,
    parts: Parameters<typeof answerOf>[3] = {},
  ) => engine.answer(id(n), answerOf(id(n), values, weight, parts));
  /** A participant's answer to the question that closes the run. */
  const evaluationOf = (participant: string, metrics: Metrics): Answer => ({
    run: 'toy-1',
    ticket: asks('evaluate').findLast(({ to }) => to.includes(participant))?.message.ticket ?? 'none',
    weight: 1,
    milliseconds: 0,
    frame: encodeFrame({
      kind: 'contribution',
      codec: 'float32',
      layoutHash: contributionHash(forms.layouts.evaluate),
      parameters: contributionSize(forms.layouts.evaluate),
      payload: float32Payload(encodeMeasures(forms.layouts.evaluate, heldOf(metrics))),
    }),
  });
  /** Lets the asynchronous end of a round (evaluation, storage) finish. */
  const settled = async () => {
    for (let i = 0; i < 50; i++) await Promise.resolve();
    await new Promise((resolve) => setImmediate(resolve));
  };
  /** Ends the process abruptly; another one starts from the disk. */
  const restart = (left: { weights?: Float32Array; clock?: ManualClock } = {}) =>
    world(plan, { ...options, left: { record: engine.record, storage: memoryStorage(), spool, ...left } });
  return {
    engine,
    scalings,
    clock,
    storage,
    spool,
    restart,
    sent,
    rounds,
    events,
    logged,
    forms,
    join,
    messages,
    asks,
    asked,
    lastAsk,
    ticketOf,
    answerOf,
    answers,
    evaluationOf,
    settled,
  };
}
