import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  ExactAccumulator,
  ExactSum,
  encodeInSteps,
  encodeValues,
  finish,
  float32Values,
  giveUp,
  keepFrozen,
  median,
  modelGroup,
  noisyTotals,
  partOf,
  payloadValues,
  RowsSum,
  roundedStep,
  rowsInMemory,
  STEP_PARAMETERS,
  type Steps,
  strategyOf,
  toFloat32InSteps,
  wholeOf,
  withFrozenInSteps,
} from '@coppice/federation';
import { secretRandom } from '@coppice/ports';
import {
  type Answer,
  type Codec,
  codecs,
  defaultPlan,
  type Layout,
  layoutHash,
  type Plan,
  sectionsOf,
  type TensorSpec,
} from '@coppice/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AnswerForm } from './exchanges/answer-form.ts';
import { Tally } from './exchanges/tally.ts';
import { TouchCounter } from './longest-piece.testing.ts';
import { crc32InSteps } from './native-crc32.ts';
import { packFrozen, packGiven, packModels } from './rounds/packed-model.ts';
import { runForms } from './rounds/run-forms.ts';
import { task, trainFrame } from './rounds/run-world.ts';
import { hashInSteps, toBytes } from './storage/blobs.ts';

/* One thread speaks with everybody: no piece of work on a model grows with the model. Numbers are counted, no time is taken. */

/** Tensors that are each shorter than a piece; some are no steps of the optimizer. */
const TENSORS = 12;
const EACH = Math.floor((10 * STEP_PARAMETERS) / TENSORS);
const LENGTH = TENSORS * EACH;
/** Numbers that one piece may touch: several passes over a piece, and never one over the model. */
const MOST = 6 * STEP_PARAMETERS;

const layout: Layout = Array.from({ length: TENSORS }, (_, i) => ({
  name: `t${i}`,
  shape: [EACH],
  trainable: i % 4 !== 1,
}));
const trained = layout.filter(({ trainable }) => trainable).length * EACH;
const wave = (length: number, size = 1e-3) =>
  Float32Array.from({ length }, (_, i) => Math.sin(i * 0.7) * size);
const weights = wave(LENGTH);
const unbounded = { trainable: Number.POSITIVE_INFINITY, nonTrainable: Number.POSITIVE_INFINITY };

let counter: TouchCounter;
beforeAll(() => {
  counter = new TouchCounter();
});
afterAll(() => counter.close());

/** Drives some steps to their end, and holds their longest piece against the bound. */
function held<T>(steps: Steps<T>): T {
  const { value, longest } = counter.drive(steps);
  expect(longest).toBeLessThanOrEqual(MOST);
  return value as T;
}

function formOf(plan: Partial<Plan>) {
  const whole: Plan = { ...defaultPlan, ...plan };
  const strategy = strategyOf(whole);
  const { train, layouts, limits } = runForms(layout, task, whole, strategy);
  const vectors = train.sections
    .filter(({ measures }) => !measures)
    .map(({ group }) => (group === 'model' ? LENGTH : trained));
  return { whole, strategy, train, layouts, limits, vectors };
}

it('knows a pass over the whole model from passes over its pieces', () => {
  function* whole(): Steps<number> {
    let sum = 0;
    for (let i = 0; i < LENGTH; i++) sum += i;
    yield;
    return sum;
  }
  expect(counter.drive(whole()).longest).toBeGreaterThan(MOST);
  // biome-ignore lint/correctness/useYield: it is the fault that is looked for.
  function* copied(): Steps<Float32Array> {
    return weights.slice();
  }
  expect(counter.drive(copied()).longest).toBeGreaterThan(MOST);
});

describe.each(Object.keys(codecs) as Codec[])('%s', (codec) => {
  it('is encoded, read and taken as a step in pieces', () => {
    const payload = held(encodeInSteps(codec, weights, layout, 7));
    expect(held(toFloat32InSteps(payloadValues({ codec, payload }, layout)))).toHaveLength(LENGTH);
    held(roundedStep(codec, { before: weights, after: wave(LENGTH, 2e-3), layout, seed: 7 }));
    // What a plan does not name for downloads is encoded all the same.
    const plan = { ...defaultPlan, downloadCodec: codec as Plan['downloadCodec'] };
    held(packModels({ weights, round: 3 }, { plan, layout, layoutHash: layoutHash(layout) }));
  });

  it('is read as an answer, and added, in pieces', () => {
    const { train, layouts } = formOf({ uploadCodec: codec });
    const contribution = held(
      read(train, answerOf(layouts.train, [encodeValues(codec, weights, layout, 7)], codec)),
    );
    const limit = { layout, bound: unbounded, counted: { trainable: 1e-3, nonTrainable: 1 } };
    held(new RowsSum(train.sections).add(contribution, 5, new Map([['model', limit]])));
    held(new ExactSum(train.sections).add(contribution, 5, new Map([['model', limit]])));
  });
});

function answerOf(
  form: ReturnType<typeof formOf>['layouts']['train'],
  parts: (Uint8Array | Float32Array)[],
  codec: Codec,
): Answer {
  return {
    run: 'r-1',
    ticket: 't',
    weight: 5,
    milliseconds: 1,
    frame: trainFrame(form, parts, { weight: 5, codec }),
  };
}

/** A sum as a hash of its bits: numbers one by one take seconds. */
function bitsOf(sum: ExactSum): string {
  const { vectors, ...rest } = sum.partial();
  const hash = createHash('sha256').update(JSON.stringify(rest));
  for (const { high, low } of Object.values(vectors)) hash.update(high).update(low);
  return hash.digest('hex');
}

const read = (form: AnswerForm, answer: Answer) => form.read(answer);

describe('an answer that is taken off again', () => {
  const { train, layouts } = formOf({ strategy: 'scaffold' });
  const contributionOf = (last = 1e-3) => {
    const values = wave(trained);
    values[trained - 1] = last;
    return finish(read(train, answerOf(layouts.train, [weights, values], 'float32')));
  };
  const sumWithOne = () => {
    const sum = new ExactSum(train.sections);
    finish(sum.add(contributionOf(), 5, new Map()));
    return sum;
  };

  it.each([
    ['is not finite at its end', Number.NaN, unbounded],
    ['is too long', 1e-3, { ...unbounded, trainable: 1e-6 }],
  ])('since it %s goes in pieces, and nothing of it is left', (_, last, bound) => {
    const sum = sumWithOne();
    const before = bitsOf(sum);
    const limits = new Map([
      ['control', { layout: [{ name: 'c', shape: [trained], trainable: true }], bound }],
    ]);
    expect(held(sum.add(contributionOf(last), 5, limits))).toBeUndefined();
    expect(bitsOf(sum)).toEqual(before);
  });

  it.each([1, 12, 17, 22])(
    'since it was given up after %i pieces goes in pieces, and nothing of it is left',
    (pieces) => {
      const sum = sumWithOne();
      const before = bitsOf(sum);
      const limit = { layout, bound: unbounded, counted: { trainable: 1e-3, nonTrainable: 1 } };
      const { longest } = counter.drive(sum.add(contributionOf(), 5, new Map([['model', limit]])), {
        pieces,
        up: giveUp,
      });
      expect(longest).toBeLessThanOrEqual(MOST);
      expect(bitsOf(sum)).toEqual(before);
    },
  );
});

it('an exchange reads and adds an answer in pieces', async () => {
  const { train, layouts } = formOf({ strategy: 'scaffold' });
  const answer = answerOf(layouts.train, [weights, wave(trained)], 'float32');
  const tally = new Tally({
    form: train,
    sum: new ExactSum(train.sections),
    limits: new Map(),
    weightCap: () => 5,
  });
  counter.take();
  let longest = 0;
  const measured = () => {
    longest = Math.max(longest, counter.take());
    return true;
  };
  expect(await tally.addInTurns('a', answer, measured, () => measured())).toBe(true);
  expect(longest).toBeLessThanOrEqual(MOST);
});

it.each(['fedavg', 'fedadam', 'fedyogi', 'scaffold', 'median'] as const)(
  '%s makes the next model in pieces',
  (name) => {
    const { strategy, train, layouts, vectors } = formOf({ strategy: name });
    const model = { layout, weights };
    const state = strategy.server.init(model);
    const sum = new ExactSum(train.sections);
    const answer = answerOf(
      layouts.train,
      vectors.map((length) => wave(length)),
      'float32',
    );
    finish(sum.add(finish(read(train, answer)), 5, new Map()));
    const { means, measures, count, weight } = held(sum.aggregate());
    const mean = means.get('model') as Float64Array;
    const applied = held(
      strategy.server.apply(state, { round: 1, model, mean, means, measures, count, weight, joined: 1 }),
    );
    held(packGiven(strategy.server.given?.(applied.state) ?? {}, layout));
  },
);

it('rows are reduced in pieces of so many numbers, however many rows there are', async () => {
  const rows = rowsInMemory(Array.from({ length: 1000 }, (_, i) => ({ values: wave(8192, i), weight: 1 })));
  let longest = 0;
  counter.take();
  const turn = async () => {
    longest = Math.max(longest, counter.take());
  };
  const combine = median().server.combine as NonNullable<ReturnType<typeof median>['server']['combine']>;
  await combine({ ...rows, read: (from, length) => turn().then(() => rows.read(from, length)) }, turn);
  await turn();
  expect(longest).toBeLessThanOrEqual(MOST / 16);
});

it('a vector is added, frozen tensors are put back, checksums and hashes taken, in pieces', () => {
  const group = modelGroup(layout, { bound: null }).map((spec, i) =>
    i % 3 === 2 ? { ...spec, role: 'frozen' as const } : spec,
  );
  const [section] = sectionsOf(group) as [ReturnType<typeof sectionsOf>[number]];
  expect(held(withFrozenInSteps(new Float64Array(section.parameters), section))).toHaveLength(LENGTH);
  held(new ExactAccumulator(LENGTH).addInSteps(float32Values(weights), 5));
  held(crc32InSteps(toBytes(weights)));
  held(hashInSteps(toBytes(weights)));
});

it('a model is taken apart and put together in pieces, and keeps its frozen numbers in pieces', () => {
  const half: Layout = layout.map((spec, i) =>
    i % 2 === 0 ? spec : { ...spec, trainable: false, frozen: true },
  );
  const moving = held(partOf(half, 'moving', weights)) as Float32Array;
  const frozen = held(partOf(half, 'frozen', weights)) as Float32Array;
  expect(held(wholeOf(half, { moving, frozen }))).toEqual(weights);
  const next = wave(LENGTH, 1);
  held(keepFrozen(half, weights, next));
  expect(held(partOf(half, 'frozen', next))).toEqual(frozen);
  held(packFrozen(weights, half));
});

it('a bound on control variates is found and held in pieces', () => {
  const { strategy, train } = formOf({ strategy: 'scaffold', learningRate: 0.1 });
  const state = strategy.server.init({ layout, weights });
  const means = new Map(
    train.sections
      .filter(({ measures }) => !measures)
      .map(({ group, parameters }) => [
        group,
        Float64Array.from({ length: parameters }, (_, i) => Math.sin(i)),
      ]),
  );
  // Nothing moved the model, so that the variates follow from nothing.
  const mean = new Float64Array(LENGTH);
  const sizes = [5, 6].map((weight) => ({ weight, norms: { model: 1, control: 1 } }));
  const applied = held(
    strategy.server.apply(state, {
      round: 1,
      model: { layout, weights },
      mean,
      means,
      measures: new Map(),
      count: 2,
      weight: 11,
      joined: 2,
      sizes,
    }),
  );
  expect(applied?.diagnostics?.['controlOff']).toBeGreaterThan(0);
});

it('noise is added to a sum in pieces of so many numbers, however many there are', () => {
  const shares: TensorSpec = {
    name: 'shares',
    shape: [4000],
    role: 'measure',
    group: 'report',
    unit: 2 ** -20,
    bound: 1,
    weighted: 'one',
    precision: 'single',
  };
  const totals = new Map([['shares', new Float64Array(4000)]]);
  const steps = noisyTotals(totals, [shares], 9, secretRandom('a seed of 128 bits or more'));
  expect(counter.drive(steps).longest).toBeLessThanOrEqual(MOST / 16);
});

it('no generator of steps is left out', () => {
  const federation = join(import.meta.dirname, '../../federation/src');
  const declared = [import.meta.dirname, federation].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((path) => /\.ts$/.test(path) && !/(\.test|\.testing)\.ts$/.test(path))
      .flatMap((path) => {
        const source = readFileSync(join(folder, path), 'utf8');
        return [...source.matchAll(/(?:^(?:export )?function\* |^ +\*)(#?\w+)[(<][^{]*?Steps</gm)].map(
          ([, name]) => name as string,
        );
      }),
  );
  expect(declared.length).toBeGreaterThan(30);
  expect(declared.filter((name) => !counter.ran.has(name))).toEqual([]);
});
