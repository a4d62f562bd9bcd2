import { createPublicKey, verify } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import {
  type Binning,
  comparisonLayout,
  comparisonMeasures,
  consentVersion,
  identityOf,
  Monitor,
  OwnStatistics,
  reportLayout,
  statisticsLayout,
  summarise,
} from '@coppice/continuity';
import { normalise } from '@coppice/datasets';
import {
  decodeMeasures,
  ExactSum,
  encodeInSteps,
  encodeMeasures,
  encodeValues,
  evaluationLayout,
  finish,
  MeasureSum,
  type Measures,
  measuresOf,
  modelGroup,
  partOf,
  payloadValues,
  pipelineOf,
  readContribution,
  takeSteps,
  toFloat32,
  trainLayout,
} from '@coppice/federation';
import {
  type Codec,
  type ContributionLayout,
  classesOf,
  codecs,
  contributionHash,
  contributionSize,
  crc32,
  type DataSchema,
  defaultPlan,
  encodeFrame,
  encodeHeader,
  exampleSize,
  type FrameKind,
  float32Payload,
  type Layout,
  layoutHash,
  layoutSize,
  modelParts,
  modelSize,
  proofBytes,
  recipeHash,
  sectionsOf,
  type TableData,
  type Task,
  weightsHash,
} from '@coppice/protocol';
import { contributionText } from './raw-contribution.ts';
import { keysFrom } from './raw-identity.ts';
import { randomBits } from './raw-participant.ts';
import { recipeText } from './raw-recipe.ts';

/*
 * The worked examples of docs/protocol.md, and further ones, as the product computes them: docs/vectors.json. Run this
 * file, and then `pnpm format`, to write it; `vectors.test.ts` holds it against the page, and against a reader that is written from the page.
 */
export const file = new URL('../../docs/vectors.json', import.meta.url);

/** Bytes in the page's notation. */
const hex = (bytes: Uint8Array) =>
  Buffer.from(bytes)
    .toString('hex')
    .replace(/(..)(?=.)/g, '$1 ');
const names = Object.keys(codecs) as Codec[];
const floats = (values: Float32Array) => hex(float32Payload(values));

/** The model and the update of the page's examples. */
const layout: Layout = [
  { name: 'dense/kernel', shape: [2, 1], trainable: true },
  { name: 'dense/bias', shape: [1], trainable: true },
];
const update = Float32Array.of(0.5, -1, 0.25);

const withStatistics: Layout = [
  { name: 'norm/gamma', shape: [2], trainable: true },
  { name: 'norm/moving_mean', shape: [2], trainable: false },
  { name: 'dense/kernel', shape: [2, 3], trainable: true },
];
const ofControl = Float32Array.of(0.01, -0.02, 0.5, -0.25, 1, -1, 0.125, 0);
const mixed = Float32Array.of(0.5, -1, 100, -2000.5, 0.25, 0.125, -0.75, 3, 0, -0.001);

function layoutVector(of: Layout) {
  const text = of
    .map(({ name, shape, trainable }) => `${name}:${trainable ? 1 : 0}:${shape.join(',')}`)
    .join('\n');
  return { layout: of, text, hash: hex(layoutHash(of)) };
}

function frameVector(kind: FrameKind, codec: Codec, payload: Uint8Array, of: Layout = layout) {
  const { parameters } = modelSize(of);
  const frame = encodeFrame({ kind, codec, layoutHash: layoutHash(of), parameters, payload });
  return {
    kind,
    codec,
    layoutHash: hex(layoutHash(of)),
    parameters,
    payload: hex(payload),
    frame: hex(frame),
  };
}

/**
 * @param nearest true where `int8` rounds to the nearest, as for a whole model.
 * @returns `encoding` is `exact` where the page fixes the bytes, and `free` where it leaves them to the sender: then
 *   the payload is one of many.
 */
function codecVector(codec: Codec, values: Float32Array, { of = layout, nearest = false } = {}) {
  const payload = finish(encodeInSteps(codec, values, of, codec === 'int8' ? 0 : 1, nearest));
  const decoded = toFloat32(payloadValues({ codec, payload }, of));
  return {
    codec,
    encoding: codec === 'int8' || codec === 'int4' ? 'free' : 'exact',
    layout: of,
    values: floats(values),
    payload: hex(payload),
    decoded: floats(decoded),
  };
}

/** A vector of numbers by a rule, where they are too many to list: number i is float32((i · 37 mod 101 − 50) / 64). */
function longCodecVector(codec: Codec, length: number) {
  const of: Layout = [{ name: 'all', shape: [length], trainable: true }];
  const values = Float32Array.from({ length }, (_, i) => (((i * 37) % 101) - 50) / 64);
  const payload = encodeValues(codec, values, of, 7);
  const decoded = toFloat32(payloadValues({ codec, payload }, of));
  return { codec, parameters: length, payload: hex(payload), decodedSha256: weightsHash(decoded) };
}

const identity = {
  privateKey: '00112233445566778899aabbccddeeff'.repeat(2),
  host: 'localhost:8080',
  nonce: '0'.repeat(64),
  // Each signing draws a number: this is one signature of many.
  signature: 'twwJ6dRmQ6I-3gEW1KEqW4LIkOiHTOhf-SipAdhUXNVU2-KdTX44RjbPAO8XCRtUOnWR3CIOkUmVGKaW2yqkPg',
};

function identityVector() {
  const { key, id } = keysFrom(Buffer.from(identity.privateKey, 'hex'));
  const point = Buffer.from(key, 'base64url');
  const publicKey = createPublicKey({
    format: 'jwk',
    key: {
      kty: 'EC',
      crv: 'P-256',
      x: point.subarray(1, 33).toString('base64url'),
      y: point.subarray(33).toString('base64url'),
    },
  });
  const signed = proofBytes(identity.host, identity.nonce);
  const signature = Buffer.from(identity.signature, 'base64url');
  if (!verify('sha256', signed, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature)) {
    throw new Error('the signature of the example is none of this key');
  }
  const { privateKey, ...rest } = identity;
  return { privateKey, publicKey: key, id, signed: Buffer.from(signed).toString(), ...rest };
}

const plan = { ...defaultPlan, evaluationShare: 0 };
const task: Pick<Task, 'data'> = {
  data: { kind: 'image', width: 1, height: 2, channels: 1, classes: ['a', 'b'] },
};
const regression: Pick<Task, 'data'> = {
  data: {
    kind: 'table',
    features: [{ name: 'x', mean: 0, scale: 1 }],
    target: { kind: 'number', name: 'y' },
  },
};

/** The layout of the page's example: an all-trainable model, with nothing held out. */
const pageLayout = trainLayout(layout, task, plan);
/** A layout with every kind of tensor: statistics, a strategy's group, held-out measures of each class. */
const fullLayout: ContributionLayout = [
  ...modelGroup(withStatistics, { bound: plan.maxNorm }),
  ...modelGroup(
    withStatistics.filter(({ trainable }) => trainable),
    { group: 'control', weighted: 'one', bound: null },
  ),
  ...trainLayout(withStatistics, task, { ...plan, evaluationShare: 0.1 }).filter(
    ({ role }) => role === 'measure',
  ),
];

const pageMeasures = { 'train/examples': [3], 'train/loss': [2.7], 'train/loss-examples': [3] };
const fullMeasures = {
  ...pageMeasures,
  'held/examples': [2],
  'held/loss': [Math.LN2],
  'held/loss-examples': [2],
  'held/hits': [1],
  'held/class-examples': [1, 1],
  'held/class-hits': [0, 1],
};

const asMeasures = (measures: Readonly<Record<string, readonly number[]>>): Measures =>
  new Map(Object.entries(measures).map(([name, values]) => [name, Float64Array.from(values)]));
const asNumbers = (measures: Measures) =>
  Object.fromEntries([...measures].map(([name, values]) => [name, [...values]]));

/** @returns `numbers` by group; measures by name. `decoded` is the coordinator's input to the sum. */
function contributionVector(
  codec: Codec,
  of: ContributionLayout,
  vectors: Readonly<Record<string, Float32Array>>,
  measures: Readonly<Record<string, readonly number[]>>,
) {
  const sections = sectionsOf(of);
  const { payload } = pipelineOf({ clipNorm: null, uploadCodec: codec }).onParticipant(
    new Map(Object.entries(vectors)),
    encodeMeasures(measuresOf(of), asMeasures(measures)),
    new Map(),
    { sections, round: 1, seed: 3 },
  );
  const read = readContribution(codec, payload, sections);
  const parameters = contributionSize(of);
  const header = { kind: 'contribution', codec, layoutHash: contributionHash(of), parameters } as const;
  return {
    codec,
    layout: of,
    text: contributionText(of),
    hash: hex(contributionHash(of)),
    parameters,
    numbers: Object.fromEntries(Object.entries(vectors).map(([group, values]) => [group, floats(values)])),
    measures,
    payload: hex(payload),
    frame: hex(encodeFrame({ ...header, payload })),
    decoded: {
      vectors: Object.fromEntries(
        [...read.vectors].map(([group, values]) => [group, floats(toFloat32(values))]),
      ),
      measures: asNumbers(read.measures),
    },
  };
}

/** Numbers as the two float32 limbs of a `double`, and their values when read. */
function limbsVector() {
  const values = [2.7, Math.LN2, 1 / 3, 123_456_789.123, 0, 1e-30];
  const [loss] = measuresOf(pageLayout).filter(({ precision }) => precision === 'double');
  if (loss === undefined) throw new Error('the layout has no double');
  const tensors = [{ ...loss, shape: [values.length], bound: null }];
  const numbers = encodeMeasures(tensors, new Map([[loss.name, Float64Array.from(values)]]));
  const read = decodeMeasures(tensors, numbers).get(loss.name) ?? [];
  return { values, numbers: floats(numbers), read: [...read] };
}

/** Exact sums of measures, in their unit. */
function measureSumVector(of: Pick<Task, 'data'>, values: readonly number[]) {
  const tensor = evaluationLayout(of, plan).find(({ name }) => name === 'held/loss');
  if (tensor === undefined) throw new Error('the layout has no loss');
  const sum = new MeasureSum([tensor]);
  for (const value of values) sum.add(new Map([[tensor.name, Float64Array.of(value)]]));
  return {
    unit: tensor.unit,
    values: [...values],
    units: sum.partial().units[tensor.name],
    sum: sum.totals().get(tensor.name)?.[0],
  };
}

function aggregationVector() {
  const weights = Float32Array.of(1, 2, 3);
  const contributions = [
    { weight: 3, model: update, control: Float32Array.of(0.5, 0, -0.25) },
    { weight: 1, model: Float32Array.of(0.1, 0.1, -0.3), control: Float32Array.of(0.1, 0.3, 1e-12) },
  ];
  const of = [
    ...modelGroup(layout, { bound: null }),
    ...modelGroup(layout, { group: 'control', weighted: 'one', bound: null }),
  ];
  const sum = new ExactSum(sectionsOf(of));
  for (const { weight, model, control } of contributions) {
    const payload = new Uint8Array([...float32Payload(model), ...float32Payload(control)]);
    finish(sum.add(readContribution('float32', payload, sectionsOf(of)), weight, new Map()));
  }
  const sums = (group: 'model' | 'control') => {
    const { low, high } = sum.partial().vectors[group] as { low: Float64Array; high: Float64Array };
    return [...low].map((part, i) => String(BigInt(high[i] as number) * 2n ** 32n + BigInt(part)));
  };
  const { means, weight, count } = finish(sum.aggregate());
  const mean = means.get('model') as Float64Array;
  const next = weights.map((one, i) => one + (mean[i] as number));
  return {
    serverLearningRate: 1,
    weights: floats(weights),
    contributions: contributions.map(({ weight, model, control }) => ({
      weight,
      model: floats(model),
      control: floats(control),
    })),
    weight,
    count,
    sums: sums('model'),
    mean: [...mean],
    next: floats(next),
    checkpoint: weightsHash(next),
    controlSums: sums('control'),
    controlMean: [...(means.get('control') as Float64Array)],
  };
}

function stepsVector() {
  const from = Float32Array.of(1, 2, 3);
  const steps = [update, Float32Array.of(0.1, 0.1, -0.3)].map((values, i) =>
    encodeValues('int8', values, layout, i),
  );
  const payload = Buffer.concat(steps);
  const to = takeSteps('int8', payload, from, layout);
  return {
    base: weightsHash(from),
    from: floats(from),
    ...frameVector('steps', 'int8', payload),
    to: floats(to),
    checkpoint: weightsHash(to),
  };
}

/** A model of which a part is frozen, as a question brings it. */
function partsVector() {
  const of: Layout = [
    { name: 'head/kernel', shape: [3], trainable: true },
    { name: 'base/kernel', shape: [2], trainable: false, frozen: true },
  ];
  const weights = Float32Array.of(1, 2, 3, 4, 5);
  const parts = modelParts(of);
  if (parts === null) throw new Error('nothing of the example is frozen');
  const [moving, frozen] = (['moving', 'frozen'] as const).map((which) =>
    finish(partOf(of, which, weights)),
  ) as [Float32Array, Float32Array];
  const payload = float32Payload(frozen);
  const header = encodeHeader({
    kind: 'weights',
    codec: 'float32',
    layoutHash: layoutHash(parts.frozen),
    parameters: layoutSize(parts.frozen),
    payloadBytes: payload.byteLength,
    payloadChecksum: crc32(payload),
  });
  return {
    layout: of,
    weights: floats(weights),
    hash: weightsHash(weights),
    moving: {
      text: layoutVector(parts.moving).text,
      hash: weightsHash(moving),
      ...frameVector('weights', 'float32', float32Payload(moving), parts.moving),
    },
    frozen: {
      text: layoutVector(parts.frozen).text,
      hash: weightsHash(frozen),
      layoutHash: hex(layoutHash(parts.frozen)),
      payload: hex(payload),
      header: hex(header),
    },
  };
}

/** Tasks' data with their recipes, and pictures and rows of a table as they are stored and as the model takes them. */
const recipes: readonly DataSchema[] = [
  { kind: 'image', width: 28, height: 28, channels: 1, classes: ['0', '1'], ink: 'light-on-dark' },
  { kind: 'image', width: 3, height: 1, channels: 1, classes: ['0', '1'] },
  { kind: 'image', width: 1, height: 1, channels: 3, classes: ['a', 'b'], range: '-1-1' },
  {
    kind: 'image',
    width: 3,
    height: 1,
    channels: 1,
    classes: ['0', '1'],
    ink: 'light-on-dark',
    range: '0-255',
  },
  regression.data,
  {
    kind: 'table',
    features: [
      { name: 'area', unit: 'm²', mean: 14.5, scale: 2, min: 0 },
      { kind: 'category', name: '种类', values: ['oak', 'elm, or so', '1'] },
    ],
    target: { kind: 'number', name: 'price', unit: '€', mean: 1000, scale: 250 },
  },
  {
    kind: 'table',
    features: [
      { kind: 'category', name: 'colour', values: ['red'], help: { en: 'Of the petals.' } },
      { name: 'width', mean: -0.1, scale: 1e-3 },
    ],
    target: { kind: 'class', name: 'kind', classes: ['a', 'b'] },
  },
  {
    kind: 'table',
    features: [{ name: 'width', mean: 0, scale: 1, min: 0, max: 8 }],
    target: { kind: 'number', name: 'price', min: 0, max: 1e6 },
    scaling: 'agreed',
  },
];

function recipeVector(data: DataSchema) {
  const pictures = exampleSize(data) === 3 ? [...Array(4).keys()].map(bytesOf) : [];
  const rows = data.kind === 'image' ? pictures : [0, 1, 2, 3].map((row) => rowOf(data, row));
  const labels = rows.map((_, row) => (classesOf(data) === null ? 500 * row : row % 2));
  const examples = {
    count: rows.length,
    features: data.kind === 'image' ? Uint8Array.from(rows.flat()) : Float32Array.from(rows.flat()),
    labels: Float32Array.from(labels),
  };
  const { xs, ys } = normalise(examples, data);
  return {
    data,
    text: recipeText(data),
    hash: recipeHash(data),
    rows: rows.map((stored, row) => ({
      stored,
      label: labels[row],
      inputs: [...xs.subarray((row * xs.length) / rows.length, ((row + 1) * xs.length) / rows.length)],
      target: ys[row],
    })),
  };
}

/** A picture of three bytes. */
function bytesOf(row: number): number[] {
  return [
    [0, 1, 255],
    [127, 128, 51],
    [254, 2, 64],
    [170, 85, 191],
  ][row] as number[];
}

/** A row of stored values: numbers, and categories up to any other value. */
function rowOf({ features }: TableData, row: number): number[] {
  return features.map((feature) =>
    feature.kind === 'category' ? Math.min(row, feature.values.length) : row / 2,
  );
}

/** A report, from what was counted to its frame. */
function reportVector() {
  const binning: Binning = {
    version: 1,
    recipe: recipeHash(regression.data),
    columns: [
      { kind: 'number', name: 'age', edges: [20, 40.5], range: [0, 120] },
      { kind: 'category', name: 'colour', values: 2 },
    ],
    prediction: { kind: 'class', classes: 2 },
    confidence: null,
  };
  const reference = identityOf(binning);
  const monitor = new Monitor(binning, reference);
  const rows = Array.from({ length: 11 }, (_, i) => ({
    columns: [i === 0 ? Number.NaN : i === 1 ? 130 : 7 * i, i % 4],
    prediction: i % 3 === 0 ? 1 : 0,
    id: `${i}`,
    model: 'the model of its arm',
  }));
  monitor.guard({ canary: 3, arm: 'control', model: 'the model of its arm' });
  for (const row of rows) monitor.observe(row);
  for (const { id } of rows.slice(1)) monitor.outcome(id, 0);
  const { observations, counts, missing, outside, labelled, errors, guard } = monitor.state();
  const layout = reportLayout(binning, reference);
  const numbers = summarise(monitor.state(), binning, 10);
  if (numbers === null) throw new Error('the report has enough observations');
  const measures = asNumbers(decodeMeasures(layout, numbers));
  return {
    binning,
    reference,
    terms: { periodMilliseconds: 86_400_000, minimum: 10 },
    consent: consentVersion({ binning, periodMilliseconds: 86_400_000, minimum: 10 }),
    counted: { observations, counts, missing, outside, labelled, errors, guard },
    contribution: contributionVector('float32', layout, {}, measures),
  };
}

/** Statistics of a device's own examples: a number, a category, and a number to be predicted. */
function statisticsVector() {
  const binning: Binning = {
    version: 1,
    recipe: recipeHash(regression.data),
    columns: [
      { kind: 'number', name: 'age', edges: [20, 40.5], range: [0, 120], span: [0, 61] },
      { kind: 'category', name: 'colour', values: 2 },
    ],
    prediction: { kind: 'number', edges: [0, 1.5], errorScale: 3, span: [-1.5, 3] },
    confidence: null,
  };
  const reference = identityOf(binning);
  const examples = Array.from({ length: 13 }, (_, i) => ({
    columns: [7 * i, i % 3],
    prediction: i / 4 - 1,
    label: i === 2 ? null : i / 3 - 1,
  }));
  const statistics = new OwnStatistics(binning, reference);
  for (const { label, ...of } of examples) statistics.observe(of, label ?? Number.NaN);
  const layout = statisticsLayout(binning, reference);
  const numbers = statistics.numbers(10);
  if (numbers === null) throw new Error('the statistics have enough examples');
  const measures = asNumbers(decodeMeasures(layout, numbers));
  return {
    binning,
    reference,
    minimum: 10,
    examples,
    contribution: contributionVector('float32', layout, {}, measures),
  };
}

/** A comparison, from hits by example to its frame: of more than the full size of a slice and of a class, and of fewer. */
function comparisonVector(older: boolean) {
  const compared = { production: 'ab'.repeat(32), candidate: 'cd'.repeat(32), number: 6, older };
  const examples = Array.from({ length: 40 }, (_, i) => ({
    slice: i % 3 === 0 ? ('older' as const) : ('recent' as const),
    label: i % 13 === 0 ? 1 : 0,
    production: i % 2 === 0,
    candidate: i % 5 !== 0,
  })).filter(({ slice }) => older || slice === 'recent');
  const layout = comparisonLayout(2, compared);
  const measures = comparisonMeasures(examples, 2, compared);
  if (measures === null) throw new Error('the comparison has enough examples');
  return {
    ...compared,
    classes: 2,
    examples,
    contribution: contributionVector('float32', layout, {}, asNumbers(measures)),
  };
}

/** The whole file. Bytes are hexadecimal, in the order in which they travel. */
export function vectors() {
  return {
    identity: identityVector(),
    layouts: [layoutVector(layout), layoutVector(withStatistics)],
    weightsHash: { values: floats(update), hash: weightsHash(update) },
    frames: [
      frameVector('weights', 'float32', float32Payload(Float32Array.of(1, 2, 3))),
      frameVector('weights', 'float16', encodeValues('float16', mixed, withStatistics, 1), withStatistics),
      frameVector('steps', 'int4', new Uint8Array(0)),
    ],
    contributions: [
      contributionVector('float32', pageLayout, { model: update }, pageMeasures),
      contributionVector('int8', pageLayout, { model: update }, pageMeasures),
      ...names.map((codec) =>
        contributionVector(codec, fullLayout, { model: mixed, control: ofControl }, fullMeasures),
      ),
    ],
    limbs: limbsVector(),
    measureSums: [
      measureSumVector(task, [2.7, Math.LN2, 1 / 3, 2 ** -33, 3 * 2 ** -33]),
      measureSumVector(regression, [1 / 3, 2 ** 30, 1e-9]),
    ],
    codecs: [
      ...names.map((codec) => codecVector(codec, update)),
      codecVector('float16', Float32Array.of(1e9, 2 ** -25, 1 + 2 ** -11)),
      codecVector('int8', update, { nearest: true }),
      codecVector('int4', new Float32Array(3)),
      codecVector('top10', Float32Array.of(1, -1, 0.5)),
      ...names.map((codec) => codecVector(codec, mixed, { of: withStatistics })),
    ],
    longCodecs: [longCodecVector('int8', 1030), longCodecVector('int4', 300), longCodecVector('int4', 4396)],
    randomBits: { seed: 1, words: [0, 1].map((w) => randomBits(1, w).toString(16).padStart(8, '0')) },
    steps: stepsVector(),
    parts: partsVector(),
    aggregation: aggregationVector(),
    recipes: recipes.map(recipeVector),
    report: reportVector(),
    statistics: statisticsVector(),
    comparison: comparisonVector(true),
    recentComparison: comparisonVector(false),
  };
}

if (import.meta.main) writeFileSync(file, `${JSON.stringify(vectors(), null, 2)}\n`);
