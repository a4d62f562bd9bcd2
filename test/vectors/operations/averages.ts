import { fedavg, median, type Strategy } from '@coppice/federation';
import { CoppiceError } from '@coppice/protocol';
import { type Case, type Json, member, numberOf, type Operation, type Result } from '../case.ts';
import { type Client, clientsOf, contributing, examplesOf, modelOf, playRound, type Round } from './round.ts';

/** Plays a round of a strategy from the case's model, or from zeros: the changes are then the arrays themselves. */
async function played(
  strategy: Strategy,
  one: Case,
  clients: readonly Client[],
): Promise<Round & { readonly model: Json }> {
  const model = modelOf(one, clients);
  const state = strategy.server.init(model);
  const round = await playRound(strategy, { model, state, round: 1 }, clients);
  return { ...round, model: model.restore(round.weights) };
}

/** Plays a round in which every contribution counts. @throws CoppiceError the first refusal. */
function whole(strategy: () => Strategy, clients: (one: Case) => Client[]): Operation {
  return async (one) => {
    const { model, refused } = await played(strategy(), one, clients(one));
    if (refused[0] !== undefined) throw refused[0].error;
    return { main: model, named: { aggregate: model, mean: model } };
  };
}

const listed = ({ inputs }: Case) => contributing(clientsOf(member(inputs, 'clients'), examplesOf));

/** Reads `{ trees, weights }`: tensors and weights in separate lists. */
function trees({ inputs }: Case): Client[] {
  const weights = member(inputs, 'weights');
  const weightOf = (i: number) => (Array.isArray(weights) ? (numberOf(weights[i]) ?? Number.NaN) : 1);
  let at = 0;
  return contributing(clientsOf(member(inputs, 'trees', 'clients'), () => weightOf(at++)));
}

/** Finds the refused contributions, and the mean of the others. */
async function edge(one: Case): Promise<Result> {
  const clients = clientsOf(member(one.inputs, 'clients'), examplesOf);
  try {
    const { model, refused } = await played(fedavg(), one, clients);
    const rejected = refused.map(({ client }) => client);
    return { main: model, named: { aggregate: model, mean: model, rejected_clients: rejected } };
  } catch (thrown) {
    const none =
      thrown instanceof CoppiceError && clients.length > 0 && member(one.expected, 'rejected_clients');
    if (!Array.isArray(none) || none.length !== clients.length) throw thrown;
    return { named: { aggregate: null, mean: null, rejected_clients: [...clients.keys()] } };
  }
}

const NO_ROBUST = 'the product has no such robust rule; its one is the coordinate-wise median';

export const averages: { readonly [name: string]: Operation | string } = {
  weighted_average: whole(() => fedavg(), listed),
  weighted_average_edge: edge,
  weighted_mean: whole(() => fedavg(), trees),
  coordinate_median: whole(() => median(), listed),
  weighted_average_per_key:
    'every participant sends every tensor; others are refused by their layout (update-shape)',
  weighted_average_client_weight_times_steps: 'contributions are weighed by examples, not by steps',
  trimmed_mean: NO_ROBUST,
  multikrum: NO_ROBUST,
  bulyan: NO_ROBUST,
  mean_of_n_closest_per_coordinate: NO_ROBUST,
  qfedavg: 'the product has no q-FedAvg',
  fedbuff_new_model: 'rounds are synchronous: no contribution is stale',
  sum: 'sums of tensors are never a result; the product sums to divide',
  scale: 'tensors are never scaled alone; clipping is clip_by_global_norm',
};
