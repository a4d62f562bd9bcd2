import { CONTROL, localTraining, MODEL_GROUP, scaffold } from '@coppice/federation';
import type { Layout } from '@coppice/protocol';
import {
  type Case,
  isObject,
  type Json,
  member,
  type Operation,
  parameter,
  parameterOr,
  requireNumber,
  Unsupported,
} from '../case.ts';
import { flatten32 } from '../tensors.ts';
import { ANY_TRAINING } from './round.ts';
import { type ToyModel, toyLearner } from './toy-learners.ts';

const SCALAR: Layout = [{ name: 'w', shape: [], trainable: true }];
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const plain = (text: Json | undefined) => (typeof text === 'string' ? text.replace(/\s+/g, '') : '');

/** Models of one weight, by the text that describes them in a case. */
function scalarModel({ params }: Case): ToyModel<readonly number[]> {
  const [gradient, loss] = [plain(params.gradient), plain(params.loss)];
  if (gradient === 'grad(w)=w/sum(batch.x)')
    return {
      layout: SCALAR,
      gradient: ([w = 0], batch) => [w / sum(batch)],
      loss: ([w = 0], batch) => w ** 2 / 2 / sum(batch),
    };
  if (/^mean\(x\*w(\+0\.5\*mu\*\(w_server-w\)\^2)?\)$/.test(loss))
    return {
      layout: SCALAR,
      gradient: (_, batch) => [sum(batch) / batch.length],
      loss: ([w = 0], batch) => (w * sum(batch)) / batch.length,
    };
  throw new Unsupported(`the runner does not know the toy model "${gradient || loss}"`);
}

/** Each client's change of one weight after a pass over its batches, as server − client. */
async function clientDeltas(one: Case): Promise<{ main: Json }> {
  const server = member(one.inputs, 'server_params', 'params', 'w');
  const { weights } = flatten32(server);
  if (weights.length !== 1) throw new Unsupported('the toy models have one weight');
  const model = scalarModel(one);
  const clients = member(one.inputs, 'clients');
  if (!isObject(clients)) throw new Error('the case gives no clients');
  const deltas: { [client: string]: Json } = {};
  for (const [client, data] of Object.entries(clients)) {
    const batches = batchesOf(data);
    const { vectors } = await localTraining.answer(
      {
        weights,
        how: {
          ...ANY_TRAINING,
          epochs: parameterOr(one, 1, 'epochs'),
          learningRate: parameter(one, 'client_lr', 'lr', 'learning_rate'),
        },
        proximal: parameterOr(one, 0, 'proximal_weight', 'mu'),
        given: {},
        carry: () => null,
        kept: null,
      },
      toyLearner(model, batches, batches.flat()),
    );
    const delta = -(vectors.get(MODEL_GROUP)?.[0] ?? Number.NaN);
    const expected = member(one.expected, client);
    deltas[client] = isObject(expected) ? { [Object.keys(expected)[0] ?? 'w']: delta } : delta;
  }
  return { main: deltas };
}

/** Reads a list of batches, or the numbers of one. */
function batchesOf(data: Json): number[][] {
  if (!Array.isArray(data)) throw new Error('a client has no batches');
  const batches = data.every((one) => !Array.isArray(one)) ? [data] : data;
  return batches.map((batch) => {
    if (!Array.isArray(batch)) throw new Error('a batch is no list of numbers');
    return batch.map((x) => requireNumber(x, 'an example'));
  });
}

type Rows = readonly (readonly [readonly number[], readonly number[]])[];

/** ŷ = x W with the mean absolute error, as in pfl's tests. */
function absoluteModel(inputs: number, outputs: number): ToyModel<Rows> {
  const errors = (weights: Float32Array, [x, y]: Rows[number]) =>
    y.map((target, j) => sum(x.map((value, i) => value * (weights[i * outputs + j] as number))) - target);
  return {
    layout: [{ name: 'w', shape: [inputs, outputs], trainable: true }],
    gradient: (weights, rows) => {
      const gradient = new Float64Array(inputs * outputs);
      for (const row of rows)
        for (const [j, error] of errors(weights, row).entries())
          for (const [i, value] of row[0].entries()) {
            const at = i * outputs + j;
            gradient[at] = (gradient[at] as number) + (value * Math.sign(error)) / rows.length;
          }
      return gradient;
    },
    loss: (weights, rows) =>
      sum(rows.map((row) => sum(errors(weights, row).map(Math.abs)))) / Math.max(1, rows.length),
  };
}

/** The device of a pfl case, its initial weights, and its training settings. */
function device(one: Case) {
  if (!/loss=meanoverrowsofsumoveroutputsof\|y_hat-y\|$/.test(plain(member(one.inputs, 'model'))))
    throw new Unsupported('the runner does not know this toy model');
  const { weights, restore } = flatten32(member(one.inputs, 'initial_weight'));
  const [x, y] = ['x', 'y'].map((name) => matrix(member(one.inputs, name), name));
  const rows = (x as number[][]).map((row, i) => [row, (y as number[][])[i] ?? []] as const);
  const [first] = rows;
  if (first === undefined) throw new Error('the case gives no examples');
  const size =
    one.params.batch === 'full' || one.params.batch === undefined ? rows.length : parameter(one, 'batch');
  if (!(size >= 1)) throw new Error(`batches of ${size} examples`);
  const batches: Rows[] = [];
  for (let from = 0; from < rows.length; from += size) batches.push(rows.slice(from, from + size));
  return {
    weights,
    restore,
    learner: toyLearner(absoluteModel(first[0].length, first[1].length), batches, rows),
    how: {
      ...ANY_TRAINING,
      epochs: parameterOr(one, 1, 'epochs'),
      learningRate: parameter(one, 'lr', 'learning_rate', 'client_lr'),
    },
  };
}

function matrix(value: Json | undefined, name: string): number[][] {
  if (!Array.isArray(value)) throw new Error(`the case gives no ${name}`);
  return value.map((row) => {
    if (!Array.isArray(row)) throw new Error(`${name} has no rows`);
    return row.map((x) => requireNumber(x, `a number of ${name}`));
  });
}

async function fedprox(one: Case) {
  const { weights, restore, learner, how } = device(one);
  const { vectors, trained } = await localTraining.answer(
    {
      weights,
      how,
      proximal: parameterOr(one, 0, 'mu', 'proximal_weight'),
      given: {},
      carry: () => null,
      kept: null,
    },
    learner,
  );
  const difference = restore(vectors.get(MODEL_GROUP) as Float32Array);
  return {
    main: difference,
    named: {
      weight_diff: difference,
      loss_before: (await learner.measure(weights)).lossSum,
      loss_after: (await learner.measure(trained.weights)).lossSum,
    },
  };
}

/**
 * SCAFFOLD on the device. pfl keeps c along the model's change, which is against the gradient, and adds it to the
 * gradient unchanged; the paper keeps it along the gradient. With c and cᵢ of the same sign in the step, pfl would send
 * −Δcᵢ − 2c as the change of cᵢ with option II, and −Δcᵢ − 2cᵢ with option I.
 */
async function scaffoldTraining(one: Case) {
  const { weights, restore, learner, how } = device(one);
  const given = (names: readonly [string, ...string[]]) => {
    const value = member(one.params, ...names) ?? member(one.inputs, ...names) ?? 0;
    const all = flatten32(value).weights;
    if (all.length === 1) return new Float32Array(weights.length).fill(all[0] as number);
    if (all.length !== weights.length) throw new Error(`${names[0]} has ${all.length} numbers`);
    return all;
  };
  const [c, own] = [given(['initial_server_c', 'server_c']), given(['local_c'])];
  const controlVariate =
    member(one.params, 'use_gradient_as_control_variate') === true ? 'gradient' : 'steps';
  const { vectors, trained } = await scaffold({ controlVariate }).participant.answer(
    {
      weights,
      how,
      proximal: parameterOr(one, 0, 'mu'),
      given: { [CONTROL]: c },
      carry: () => null,
      kept: { values: {}, tensors: { [CONTROL]: own } },
    },
    learner,
  );
  const change = vectors.get(CONTROL) as Float32Array;
  const isPfl = /^pfl\./.test(one.id) || /\bpfl\b/.test(one.notes);
  const told = Array.from(change, (value, i) =>
    isPfl ? -value - 2 * ((controlVariate === 'gradient' ? own : c)[i] as number) : value,
  );
  const difference = restore(vectors.get(MODEL_GROUP) as Float32Array);
  return {
    main: difference,
    named: {
      weight_diff: difference,
      control_variate_delta: restore(told),
      loss_before: (await learner.measure(weights)).lossSum,
      loss_after: (await learner.measure(trained.weights)).lossSum,
    },
  };
}

const NO_MIME = 'the product has no Mime strategy';

export const localTrainings: { readonly [name: string]: Operation | string } = {
  client_sgd_delta: clientDeltas,
  fedprox_client_delta: clientDeltas,
  fedprox_local_training: fedprox,
  scaffold_local_training: scaffoldTraining,
  adaptive_mu_trace: "FedProx's μ stands in the plan and is not adapted",
  sum_gradients_and_counts: NO_MIME,
  mimelite_round_clipped: NO_MIME,
  update_domain_weights: 'the product has no agnostic federated averaging',
};
