import { type Codec, payloadBytes } from '../codec.ts';
import {
  contributionBytes,
  contributionHash,
  contributionSize,
  sectionsOf,
  type TensorSpec,
} from '../contribution.ts';
import type { ReleaseNews } from '../down/release.ts';
import { encodeFrame, type FrameKind, float32Payload } from '../frame.ts';
import { type Layout, layoutHash, layoutSize, modelSize } from '../layout.ts';
import type { Down, DownName, Reply, Up, UpName, UpValue } from '../messages.ts';
import { defaultPlan, type Plan } from '../plan/plan.ts';
import { recipeHash } from '../recipe.ts';
import type { RunSummary } from '../run.ts';
import type { Task } from '../task.ts';

/* One valid message of each kind: where mutations begin. */

export const sampleLayout: Layout = [
  { name: 'dense/kernel', shape: [2, 2], trainable: true },
  { name: 'dense/bias', shape: [2], trainable: true },
  { name: 'norm/mean', shape: [], trainable: false },
];

export function sampleFrame(kind: 'weights', layout: Layout = sampleLayout): Uint8Array {
  const parameters = layoutSize(layout);
  const payload = float32Payload(Float32Array.from({ length: parameters }, (_, i) => (i - 2) / 8));
  return encodeFrame({ kind, codec: 'float32', layoutHash: layoutHash(layout), parameters, payload });
}

/** The answer's layout of the sample run: the model's change and one measure. */
export const sampleContribution: TensorSpec[] = [
  ...sampleLayout.map(
    ({ name, shape, trainable }): TensorSpec => ({
      name,
      shape: [...shape],
      role: trainable ? 'step' : 'average',
      group: 'model',
      unit: 2 ** -36,
      bound: 1000,
      weighted: 'weight',
      precision: 'single',
    }),
  ),
  {
    name: 'train/loss',
    shape: [],
    role: 'measure',
    group: 'measures',
    unit: 2 ** -32,
    bound: 1000,
    weighted: 'one',
    precision: 'double',
  },
];

/** A contribution of the sample run. */
export function sampleAnswerFrame(codec: Codec = 'float32'): Uint8Array {
  const sections = sectionsOf(sampleContribution);
  const payload = Uint8Array.from({ length: contributionBytes(codec, sections) }, (_, i) => (i * 37) % 60);
  return encodeFrame({
    kind: 'contribution',
    codec,
    layoutHash: contributionHash(sampleContribution),
    parameters: contributionSize(sampleContribution),
    payload,
  });
}

/** A frame whose payload has a codec's size and arbitrary content; for steps, of two rounds. */
export function sampleEncodedFrame(kind: FrameKind, codec: Codec, layout: Layout = sampleLayout): Uint8Array {
  const size = modelSize(layout);
  const length = payloadBytes(codec, size) * (kind === 'steps' ? 2 : 1);
  const payload = Uint8Array.from({ length }, (_, i) => (i * 37) % 120);
  return encodeFrame({ kind, codec, layoutHash: layoutHash(layout), parameters: size.parameters, payload });
}

export const samplePlan: Plan = {
  ...defaultPlan,
  cohortSize: 3,
  clipNorm: 1,
  uploadCodec: 'int4',
  downloadCodec: 'int8',
  downloadForm: 'steps',
};

export const sampleTask: Task = {
  id: 'flowers',
  title: { en: 'Flowers', zh: '花' },
  description: { en: 'Which flower it is.' },
  data: {
    kind: 'table',
    features: [
      { name: 'length', unit: 'cm', mean: 1, scale: 2, min: 0, max: 10 },
      { name: 'width', mean: 0, scale: 1 },
      { kind: 'category', name: 'colour', values: ['red', 'blue'], help: { en: 'Of the petals.' } },
    ],
    target: { kind: 'class', name: 'kind', classes: ['a', 'b'] },
  },
  model: {
    class_name: 'Sequential',
    config: {
      name: 'sequential',
      layers: [
        {
          class_name: 'Dense',
          config: { units: 2, activation: 'softmax', name: 'dense', batch_input_shape: [null, 5] },
        },
      ],
    },
  },
  loss: 'categoricalCrossentropy',
  heldOut: 0.2,
  samples: false,
  planDefaults: { batchSize: 5, strategy: 'fedavg', clipNorm: null },
};

const run = 'flowers-1';
const checkpoint = 'ab'.repeat(32);
const ticket = 't3-1.abcDEF_0';
const metrics = { loss: 0.5, accuracy: 0.75, examples: 12 };

const summary: RunSummary = {
  id: run,
  task: 'flowers',
  title: sampleTask.title,
  status: 'running',
  admission: 'open',
  phase: 'collect',
  round: 3,
  rounds: 20,
  participants: 4,
  needed: 2,
  deadlineAt: 1_800_000_000_000,
  central: metrics,
  checkpoint,
};

const answers = {
  train: sampleContribution,
  evaluate: sampleContribution.slice(-1),
  statistics: sampleContribution.slice(-1),
};

export const sampleUp: { readonly [N in UpName]: Up<N> } = {
  prove: { signature: 'A'.repeat(86) },
  join: {
    run,
    device: 'browser',
    backend: 'webgl',
    examples: 12,
    speed: 1.5,
    paused: false,
    invitation: 'an-invitation',
    has: checkpoint,
  },
  watch: { runs: [run], arrivals: true },
  leave: { run },
  availability: { run, paused: true, examples: 3 },
  pull: { run, has: checkpoint, parts: true },
  progress: { run, ticket, stage: 'training', epoch: 1, epochs: 2, step: 3, steps: 4, loss: 0.5 },
  decline: { run, ticket, reason: 'dropout' },
  answer: { run, ticket, weight: 12, milliseconds: 17.5, frame: sampleAnswerFrame() },
  'answer-piece': { run, ticket, piece: 0, bytes: new Uint8Array([1, 2, 3]) },
  counted: { run, tickets: [ticket] },
  monitor: {
    task: 'flowers',
    consent: checkpoint,
    recipe: checkpoint,
    invitation: 'an-invitation',
  },
  parcel: { run, hash: checkpoint, codec: 'float32', piece: 1 },
};

const model = { round: 3, checkpoint, frame: sampleFrame('weights') };
const base = 'cd'.repeat(32);
const steps = { base, frame: sampleEncodedFrame('steps', 'int8') };

/** Acknowledgements, successful and refused. */
export const sampleReplies: { readonly [N in Exclude<UpName, 'progress'>]: readonly Reply<UpValue<N>>[] } = {
  prove: [{ ok: true, value: null }],
  join: [
    {
      ok: true,
      value: {
        run: summary,
        task: sampleTask,
        plan: samplePlan,
        layout: sampleLayout,
        answers,
        checkpoint,
        recipe: recipeHash(sampleTask.data),
      },
    },
    { ok: false, error: { code: 'run-unknown', message: 'There is no such run.' } },
  ],
  watch: [{ ok: true, value: { runs: [summary] } }],
  leave: [{ ok: true, value: null }],
  availability: [{ ok: true, value: null }],
  pull: [
    { ok: true, value: model },
    { ok: true, value: { round: 3, checkpoint, ...steps } },
    { ok: true, value: { ...model, frame: model.frame.subarray(0, 40), ticket } },
    { ok: true, value: { ...model, moving: base, frozen: { hash: base, frame: sampleFrame('weights') } } },
  ],
  decline: [{ ok: true, value: null }],
  answer: [
    { ok: true, value: { duplicate: false, next: null } },
    { ok: true, value: { duplicate: false, next: 2 } },
    { ok: false, error: { code: 'update-late', message: 'Too late.', retry: 'with-current-model' } },
  ],
  'answer-piece': [{ ok: true, value: { next: 1 } }],
  counted: [{ ok: true, value: { counted: [true, false, null] } }],
  monitor: [
    { ok: true, value: { watched: true, ticket: 'offer-qZ3x' } },
    { ok: false, error: { code: 'consent-outdated', message: 'Ask again.', retry: 'never' } },
  ],
  parcel: [{ ok: true, value: { bytes: new Uint8Array([1, 2, 3]) } }],
};

const releaseNews: ReleaseNews = {
  task: 'flowers',
  production: { sequence: 1, checkpoint: 'flowers-1/20', hash: checkpoint },
  canary: { sequence: 2, checkpoint: 'flowers-2/10', hash: checkpoint, arm: 'control' },
};

export const sampleDown: { readonly [N in DownName]: Down<N> } = {
  challenge: { nonce: '0f'.repeat(32) },
  welcome: {
    protocol: 1,
    participant: 'cd'.repeat(16),
    operator: 'somebody',
    now: 1_800_000_000_000,
    runs: [summary],
    releases: [releaseNews],
  },
  release: releaseNews,
  run: { run: summary, now: 1_800_000_000_000 },
  ask: {
    run,
    kind: 'train',
    ticket,
    round: 3,
    attempt: 1,
    remaining: 1000,
    asked: 4,
    parcels: [{ name: 'model', hash: checkpoint, moving: base, frame: sampleFrame('weights') }],
    given: { weightCap: 100, normBounds: { model: 2.5 } },
  },
  scaling: {
    run,
    scaling: { participants: 3, examples: 40, means: [1.5, 2], scales: [0.5, 1] },
    recipe: checkpoint,
  },
  'round-end': {
    run,
    round: 3,
    attempt: 1,
    outcome: 'abandoned',
    reason: { code: 'quorum-lost', message: 'Too few.' },
    checkpoint,
    central: metrics,
    accepted: 1,
    asked: 4,
    you: 'accepted',
  },
  'run-end': { run, status: 'finished', reason: null },
  peers: { run, joined: 4, working: 2, done: 1 },
  notice: { code: 'session-replaced', message: 'Another came.' },
};
