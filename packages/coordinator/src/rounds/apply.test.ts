import { ExactAccumulator, STEP_PARAMETERS, type Strategy, strategyOf } from '@coppice/federation';
import {
  defaultPlan,
  encodeFrame,
  float32Payload,
  type Layout,
  layoutHash,
  weightsHash,
} from '@coppice/protocol';
import { expect, it } from 'vitest';
import { inTurns } from '../turns.ts';
import { apply } from './apply.ts';
import { openRound } from './open-round.ts';
import { packModel } from './packed-model.ts';

const LENGTH = 3 * STEP_PARAMETERS + 17;
const layout: Layout = [{ name: 'all', shape: [LENGTH], trainable: true }];
const weights = Float32Array.from({ length: LENGTH }, (_, i) => Math.cos(i));
const opening = {
  run: 'r-1',
  round: 1,
  attempt: 1,
  parent: '0'.repeat(64),
  sizes: { target: 1, asked: 1, quorum: 1 },
  startedAt: 0,
  deadlineAt: 1,
  cohort: [],
};

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

it('makes a large model over many turns of the event loop, to the bits that one turn gives', async () => {
  const open = openRound(opening, LENGTH, {
    outcome: 'asked',
    bytes: () => ({ up: 0, down: 0 }),
    beganAt: 0,
    dueAt: 1,
  });
  const update = Float32Array.from({ length: LENGTH }, (_, i) => Math.sin(i) * 1e-3);
  open.sum.add(update, 3);
  const strategy = strategyOf(defaultPlan);
  const state = strategy.init({ layout, weights });
  const { value, turns } = await turnsUntil(apply(open, strategy, state, { layout, weights }));
  // The mean and the step pause three times each; the last turn is not counted.
  expect(turns).toBeGreaterThanOrEqual(5);
  const sum = new ExactAccumulator(LENGTH);
  sum.add(update, 3);
  const mean = sum.mean();
  const expected = weights.map((weight, i) => weight + (mean[i] as number));
  expect(value.weights).toEqual(expected);
  expect(value.hash).toBe(weightsHash(expected));
});

it('takes a strategy that knows no steps', async () => {
  const open = openRound(opening, 2, {
    outcome: 'asked',
    bytes: () => ({ up: 0, down: 0 }),
    beganAt: 0,
    dueAt: 1,
  });
  open.sum.add(new Float32Array([1, 2]), 1);
  const small: Layout = [{ name: 'all', shape: [2], trainable: true }];
  const plain: Strategy = {
    name: 'plain',
    init: () => ({ values: {}, tensors: {} }),
    apply: (state, { mean }) => ({ state, weights: Float32Array.from(mean), diagnostics: {} }),
  };
  const model = { layout: small, weights: new Float32Array(2) };
  const next = await apply(open, plain, plain.init(model), model);
  expect([...next.weights]).toEqual([1, 2]);
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
