import {
  encodeMeasures,
  fedavg,
  finish,
  MODEL_GROUP,
  measuresOf,
  modelGroup,
  norm,
  pipelineOf,
  type RoundResult,
} from '@coppice/federation';
import { type Layout, sectionsOf } from '@coppice/protocol';
import { type Case, isObject, type Json, member, type Operation, parameter, Unsupported } from '../case.ts';
import { flatten32 } from '../tensors.ts';
import { changeOf } from './round.ts';

/** A change after the pipeline of a plan that clips. */
function clipped(change: Float32Array, layout: Layout, clipNorm: number): Float32Array {
  const tensors = modelGroup(layout, { bound: null });
  const { arrives } = pipelineOf({ clipNorm, uploadCodec: 'float32' }).onParticipant(
    new Map([[MODEL_GROUP, change]]),
    encodeMeasures(measuresOf(tensors), new Map()),
    new Map(),
    { sections: sectionsOf(tensors), round: 1, seed: 1 },
  );
  return arrives.get(MODEL_GROUP) as Float32Array;
}

const bound = (one: Case) => parameter(one, 'clipping_norm', 'max_norm', 'clip_norm', 'bound');
const isSame = (a: Float32Array, b: Float32Array) => a.every((value, i) => value === b[i]);

function byGlobalNorm(one: Case) {
  const { layout, weights, restore } = flatten32(member(one.inputs, 'arrays', 'tree', 'update', 'values'));
  const arrived = clipped(weights, layout, bound(one));
  const main = restore(arrived);
  return {
    main,
    named: {
      clipped: main,
      norm_before: norm(weights),
      norm_after: norm(arrived),
      was_clipped: !isSame(arrived, weights),
    },
  };
}

/** Reads the tensors from the inputs, by name. */
function byNorm(one: Case) {
  const order = String(member(one.params, 'order') ?? member(one.inputs, 'order') ?? 2);
  if (Number(order) !== 2)
    throw new Unsupported(`updates are clipped by their L2 norm, not by order ${order}`);
  if (!isObject(one.inputs)) throw new Error('the case gives no tensors');
  const { bound: _, order: __, ...tensors } = one.inputs as { [name: string]: Json };
  const { layout, weights, restore } = flatten32(tensors);
  const arrived = clipped(weights, layout, bound(one));
  return {
    named: { ...(restore(arrived) as { [name: string]: Json }), clipped: isSame(arrived, weights) ? 0 : 1 },
  };
}

/** Clips the change on the device and adds it to the model by FedAvg's server. */
async function addedBack(one: Case) {
  const before = flatten32(member(one.inputs, 'old', 'current'));
  const after = flatten32(member(one.inputs, 'new'));
  const change = await changeOf(before.weights, after);
  const model = { layout: before.layout, weights: before.weights };
  const { server } = fedavg();
  const round: RoundResult = {
    round: 1,
    model,
    mean: Float64Array.from(clipped(change, before.layout, bound(one))),
    means: new Map(),
    measures: new Map(),
    count: 1,
    weight: 1,
    joined: 1,
  };
  return { main: before.restore(finish(server.apply(server.init(model), round)).weights) };
}

const NO_ADAPTIVE = 'the clipping norm stands in the plan and is not adapted';
const NO_NOISE = 'the product adds no noise and accounts for no privacy';

export const clipping: { readonly [name: string]: Operation | string } = {
  clip_by_global_norm: byGlobalNorm,
  norm_clip: byNorm,
  clip_update_and_add_back: addedBack,
  l2_norm: ({ inputs }) => ({ main: norm(flatten32(member(inputs, 'arrays', 'tree', 'values')).weights) }),
  adaptive_clipping_noise_split: NO_ADAPTIVE,
  adaptive_clip_geometric_update: NO_ADAPTIVE,
  adaptive_clip_indicator_scale: NO_ADAPTIVE,
  noise_stddev_on_mean: NO_NOISE,
  local_dp_gaussian_sigma: NO_NOISE,
  laplace_scale: NO_NOISE,
  signal_to_noise_ratio: NO_NOISE,
  svt_epsilon_split: NO_NOISE,
};
