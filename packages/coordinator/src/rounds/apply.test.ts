import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ExactAccumulator,
  ExactSum,
  finish,
  float32Values,
  modelGroup,
  ROW_SLICE,
  type RoundResult,
  STEP_PARAMETERS,
  type Strategy,
  strategyOf,
} from '@coppice/federation';
import {
  CoppiceError,
  defaultPlan,
  encodeFrame,
  float32Payload,
  type Layout,
  layoutHash,
  sectionsOf,
  weightsHash,
} from '@coppice/protocol';
import { afterAll, describe, expect, it } from 'vitest';
import { Cohort, type CohortMember } from '../exchanges/cohort.ts';
import { fileSpool } from '../storage/file-spool.ts';
import { memorySpool } from '../storage/memory-spool.ts';
import type { Spool } from '../storage/spool.ts';
import { openingOf } from '../storage/spool-contract.ts';
import { inTurns } from '../turns.ts';
import { apply, spooledRows } from './apply.ts';
import { packModel } from './packed-model.ts';
import { runForms } from './run-forms.ts';
import { task, trainFrame } from './run-world.ts';

const LENGTH = 3 * STEP_PARAMETERS + 17;
const layout: Layout = [{ name: 'all', shape: [LENGTH], trainable: true }];
const weights = Float32Array.from({ length: LENGTH }, (_, i) => Math.cos(i));
/** How many turns of the event loop pass until something is done. */
async function turnsUntil<T>(work: Promise<T>): Promise<{ value: T; turns: number }> {
  let turns = 0;
  let going = true;
  const count = () => {
    if (!going) return;
    turns++;
    setImmediate(count);
  };
  setImmediate(count);
  const value = await work;
  going = false;
  return { value, turns };
}

const sectionsIn = (of: Layout) => sectionsOf(modelGroup(of, { bound: null }));

function sumOf(of: Layout, changes: readonly Float32Array[], weight = 1): ExactSum {
  const sum = new ExactSum(sectionsIn(of));
  for (const change of changes)
    finish(
      sum.add(
        { vectors: new Map([['model', float32Values(change)]]), measures: new Map() },
        weight,
        new Map(),
      ),
    );
  return sum;
}

const bytes = () => ({ up: 0, down: 0 });
const nobody = () => new Cohort([], { target: 1, quorum: 1 }, { outcome: 'asked', bytes });
const noRows = () => Promise.reject(new Error('not asked here'));
const round = { number: 1, joined: 2 };

it('makes a large model over many turns of the event loop, to the bits that one turn gives', async () => {
  const update = Float32Array.from({ length: LENGTH }, (_, i) => Math.sin(i) * 1e-3);
  const strategy = strategyOf(defaultPlan);
  const model = { layout, weights };
  const state = strategy.server.init(model);
  const exchange = { sum: sumOf(layout, [update], 3), cohort: nobody() };
  const { value, turns } = await turnsUntil(
    apply(round, { strategy, state, model, sections: sectionsIn(layout) }, exchange, noRows),
  );
  // The mean and the step pause three times each; the last turn is not counted.
  expect(turns).toBeGreaterThanOrEqual(5);
  const sum = new ExactAccumulator(LENGTH);
  sum.add(update, 3);
  const mean = sum.mean();
  const expected = weights.map((weight, i) => weight + (mean[i] as number));
  expect(value.weights).toEqual(expected);
  expect(value.hash).toBe(weightsHash(expected));
});

it('leaves no negative running variance in the model, and tells how many would have been', async () => {
  const normalised: Layout = [
    { name: 'bn/gamma', shape: [1], trainable: true },
    { name: 'bn/moving_mean', shape: [1], trainable: false },
    { name: 'bn/moving_variance', shape: [2], trainable: false },
  ];
  const strategy = strategyOf(defaultPlan);
  const model = { layout: normalised, weights: new Float32Array([1, 1, 1, 1]) };
  const sum = sumOf(normalised, [new Float32Array([-3, -3, -300, 1]), new Float32Array([0, 0, 0, 1])]);
  const state = strategy.server.init(model);
  const sections = sectionsIn(normalised);
  const next = await apply(round, { strategy, state, model, sections }, { sum, cohort: nobody() }, noRows);
  expect(next.weights).toEqual(new Float32Array([-0.5, -0.5, 0, 2]));
  expect(next.variancesKept).toBe(1);
  expect(next.hash).toBe(weightsHash(next.weights));
});

it('takes a strategy that knows no steps, and tells it of the round', async () => {
  const small: Layout = [{ name: 'all', shape: [2], trainable: true }];
  const seen: RoundResult[] = [];
  const plain: Strategy = {
    ...strategyOf(defaultPlan),
    server: {
      init: () => ({ values: {}, tensors: {} }),
      // biome-ignore lint/correctness/useYield: it has no steps.
      *apply(state, result) {
        seen.push(result);
        return { state, weights: Float32Array.from(result.mean), diagnostics: {} };
      },
    },
  };
  const model = { layout: small, weights: new Float32Array(2) };
  const sum = sumOf(small, [new Float32Array([1, 2]), new Float32Array([3, 4])], 5);
  const cohort = new Cohort(['b', 'a', 'late'], { target: 2, quorum: 1 }, { outcome: 'asked', bytes });
  for (const [at, id] of ['b', 'a'].entries())
    Object.assign(cohort.get(id) as CohortMember, {
      outcome: 'accepted',
      weight: 5 + at,
      norms: { model: at },
    });
  const next = await apply(
    { number: 7, joined: 9 },
    { strategy: plain, state: plain.server.init(model), model, sections: sectionsIn(small) },
    { sum, cohort },
    noRows,
  );
  expect([...next.weights]).toEqual([2, 3]);
  const sizes = [
    { weight: 6, norms: { model: 1 } },
    { weight: 5, norms: { model: 0 } },
  ];
  expect(seen).toMatchObject([{ round: 7, joined: 9, count: 2, weight: 10, model, sizes }]);
});

/* Rows that a spool holds: the same numbers, wherever they lie. */
const folder = mkdtempSync(join(tmpdir(), 'rows-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const spools = [
  ['memory', () => memorySpool()],
  ['files', () => fileSpool(folder)],
] as const;

describe.each(spools)('rows in %s', (_, makeSpool) => {
  const rowsLayout: Layout = [
    { name: 'w', shape: [ROW_SLICE + 3], trainable: true },
    { name: 'mean', shape: [2], trainable: false },
  ];
  const LENGTH = ROW_SLICE + 5;
  const ids = ['c', 'a', 'b', 'lost'];
  const valuesOf = (at: number) =>
    Float32Array.from({ length: LENGTH }, (_, i) => Math.sin(i + at) * (at + 1));
  const form = runForms(rowsLayout, task, defaultPlan);
  const { sections } = form.train;

  /** A cohort of which all but the last answered; the answers are being written. */
  function answered(spool: Spool) {
    const cohort = new Cohort(
      ids,
      { target: 3, quorum: 1 },
      {
        outcome: 'asked',
        bytes: () => ({ up: 0, down: 0 }),
      },
    );
    spool.open({ ...openingOf('r-1'), cohort: ids });
    for (const [at, participant] of ids.slice(0, 3).entries()) {
      const member = cohort.get(participant) as CohortMember;
      member.outcome = 'accepted';
      member.weight = at + 1;
      if (at === 1) member.factors = new Map([['model', { trainable: 0.5, nonTrainable: 0.25 }]]);
      const frame = trainFrame(form.layouts.train, [valuesOf(at)], { weight: at + 1 });
      const answer = { run: 'r-1', ticket: `t1-1.${at}`, weight: at + 1, milliseconds: 1, frame };
      member.stored = spool.append('r-1', { participant, answer });
    }
    cohort.settle();
    return cohort;
  }

  it('come by participant, shortened as they counted, and not before all are written', async () => {
    const spool = makeSpool();
    const cohort = answered(spool);
    const rows = await spooledRows({ cohort }, { run: 'r-1', codec: 'float32', sections, spool });
    expect([rows.count, rows.parameters, rows.weights]).toEqual([3, LENGTH, [2, 3, 1]]);
    // The averages, the last two, by a factor of their own.
    const half = valuesOf(1).map((value, i) => value * (i < LENGTH - 2 ? 0.5 : 0.25));
    for (const [from, length] of [
      [0, ROW_SLICE],
      [ROW_SLICE, 5],
    ] as const) {
      const read = await rows.read(from, length);
      const expected = [half, valuesOf(2), valuesOf(0)].map((row) => row.subarray(from, from + length));
      expect(read.map((row) => [...row])).toEqual(expected.map((row) => [...row]));
    }
    await spool.close();
  });

  it('are none where one could not be written, or is gone', async () => {
    const spool = makeSpool();
    const failed = new CoppiceError('storage-failed', 'The disk is full.');
    const cohort = answered(spool);
    const member = cohort.get('b') as CohortMember;
    await member.stored;
    member.stored = Promise.reject(failed);
    const of = { run: 'r-1', codec: 'float32', sections, spool } as const;
    await expect(spooledRows({ cohort }, of)).rejects.toBe(failed);
    member.stored = null;
    await spool.drop('r-1');
    await expect(spooledRows({ cohort }, of)).rejects.toMatchObject({ code: 'storage-failed' });
    await spool.close();
  });
});

it.each([0, 1, 17, STEP_PARAMETERS, LENGTH])('packs a model of %i parameters as at once', async (size) => {
  const some = weights.subarray(0, size);
  const hash = layoutHash([{ name: 'all', shape: [size], trainable: true }]);
  const expected = encodeFrame({
    kind: 'weights',
    codec: 'float32',
    layoutHash: hash,
    parameters: size,
    payload: float32Payload(some),
  });
  const { frame, payload } = await inTurns(packModel(hash, some));
  const whole = frame.byteLength < expected.byteLength ? Buffer.concat([frame, payload]) : Buffer.from(frame);
  expect(whole.equals(expected)).toBe(true);
});
