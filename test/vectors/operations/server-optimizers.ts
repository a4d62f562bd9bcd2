import { fedadam, fedyogi, type Strategy } from '@coppice/federation';
import { type Case, type Json, member, type Operation, parameter, parameterOr } from '../case.ts';
import { clientsOf, contributing, examplesOf, modelOf, playRound } from './round.ts';

/** Plays the case's rounds one after another, each from the model and the state of the one before. */
function rounds(strategyOf: (one: Case) => Strategy): Operation {
  return async (one) => {
    const listed = member(one.inputs, 'rounds');
    const played = Array.isArray(listed) ? listed : [one.inputs];
    const clientsIn = (round: Json) => contributing(clientsOf(member(round, 'clients'), examplesOf));
    const first = modelOf(one, clientsIn(played[0] ?? null));
    const strategy = strategyOf(one);
    let model = { layout: first.layout, weights: first.weights };
    let state = strategy.server.init(model);
    const weights: Json[] = [];
    const states: Json[] = [];
    for (const [i, round] of played.entries()) {
      const after = await playRound(strategy, { model, state, round: i + 1 }, clientsIn(round));
      if (after.refused[0] !== undefined) throw after.refused[0].error;
      model = { ...model, weights: after.weights };
      state = after.state;
      weights.push(first.restore(model.weights));
      states.push(
        Object.fromEntries(Object.entries(state.tensors).map(([name, all]) => [name, first.restore(all)])),
      );
    }
    const last = weights.at(-1) ?? null;
    return {
      main: last,
      named: {
        weights_after_each_round: weights,
        state_after_each_round: states,
        final_weights: last,
        weights: last,
      },
    };
  };
}

function options(one: Case) {
  return {
    serverLearningRate: parameter(one, 'eta', 'server_learning_rate', 'learning_rate'),
    serverBeta1: parameterOr(one, 0, 'beta_1', 'beta1'),
    serverBeta2: parameter(one, 'beta_2', 'beta2'),
    serverTau: parameter(one, 'tau', 'adaptivity'),
    // The cases begin at 0 unless they say otherwise; the product begins at τ², the least that the paper allows.
    initial: parameterOr(one, 0, 'v0', 'v_0', 'initial_v'),
  };
}

const NO_STRATEGY = 'the product has no such strategy';

export const serverOptimizers: { readonly [name: string]: Operation | string } = {
  fedadam_paper: rounds((one) => fedadam(options(one))),
  fedyogi: rounds((one) => fedyogi(options(one))),
  fedadam: "Flower's FedAdam corrects Adam's bias; the product keeps to the paper (fedadam_paper)",
  fedavgm: NO_STRATEGY,
  fedadagrad: NO_STRATEGY,
};
