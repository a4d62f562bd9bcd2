import type { Layout } from '@coppice/protocol';
import { copied } from '../codecs/interleaved.ts';
import { MODEL_GROUP, modelGroup } from '../contributions/layout.ts';
import { finish } from '../steps.ts';
import type { Strategy } from '../strategy.ts';
import { boundControl, type PathPlan } from './bound-control.ts';
import { CONTROL } from './control.ts';
import { stepBy } from './fedavg.ts';
import { difference } from './local-training.ts';
import { eachTrained, moved, trainedPart } from './moved.ts';

export { CONTROL };

/**
 * SCAFFOLD (Karimireddy et al., "SCAFFOLD: Stochastic Controlled Averaging for Federated Learning", ICML 2020,
 * arXiv:1910.06378, Algorithm 1). Each participant i keeps a control variate cᵢ, the server c, both 0 at first.
 * With x the given model and y the one after K steps of rate η_l,
 *
 *   each step:  y ← y − η_l (g(y) − cᵢ + c),
 *   option I:   cᵢ⁺ = gᵢ(x), the gradient over all of the device's training examples,
 *   option II:  cᵢ⁺ = cᵢ − c + (x − y) / (K η_l),   which holds for plain SGD on the device,
 *   server:     x ← x + η Σ nᵢ Δyᵢ / Σ nᵢ,   c ← c + (1 / N) Σ (cᵢ⁺ − cᵢ),
 *
 * where N is the number of participants that count as the run's when the round was opened. Δyᵢ is weighted by examples, as
 * in FedAvg (the paper weighs all alike); the change of cᵢ is summed unweighted. `boundControl` limits c.
 *
 * @param options.plan the plan that devices train by; left out, c is bounded by norms alone.
 */
export function scaffold({
  serverLearningRate = 1,
  controlVariate = 'steps',
  controlNorm = null,
  plan = null,
}: {
  serverLearningRate?: number;
  controlVariate?: 'steps' | 'gradient';
  controlNorm?: number | null;
  plan?: PathPlan | null;
} = {}): Strategy {
  const path = controlVariate === 'steps' ? plan : null;
  return {
    name: 'scaffold',
    needs: 'sum',
    groups: (model) =>
      modelGroup(
        model.filter(({ trainable }) => trainable),
        { group: CONTROL, weighted: 'one', bound: controlNorm },
      ),
    participant: {
      async answer(asked, learner) {
        const { weights, how, given, kept, carry } = asked;
        const { layout } = learner;
        const c = given[CONTROL] ?? new Float32Array(weights.length);
        const own = kept?.tensors[CONTROL] ?? new Float32Array(weights.length);
        const trained = await learner.train(weights, how, {
          scale: 1,
          pull: asked.proximal,
          anchor: asked.proximal === 0 ? null : weights,
          offset: difference(c, own),
        });
        const part = (values: Float32Array) => trainedPart(layout, values);
        const more = carry(CONTROL);
        const change =
          controlVariate === 'gradient'
            ? difference(part(await learner.gradient(weights)), part(own), more)
            : changeByPath({
                from: part(weights),
                to: part(trained.weights),
                c: part(c),
                rate: trained.steps * how.learningRate,
                more,
              });
        return {
          vectors: new Map([
            [MODEL_GROUP, difference(trained.weights, weights, carry(MODEL_GROUP))],
            [CONTROL, change],
          ]),
          trained,
          // The server's variate is the mean of the devices' as long as each moves by what arrives.
          kept: (arrives) => ({
            values: {},
            tensors: { [CONTROL]: movedBy(layout, own, arrives.get(CONTROL) as Float32Array) },
          }),
        };
      },
    },
    server: {
      init: ({ weights }) => ({ values: {}, tensors: { [CONTROL]: new Float32Array(weights.length) } }),
      given: ({ tensors }) => ({ [CONTROL]: tensors[CONTROL] as Float32Array }),
      *apply({ values, tensors }, round) {
        const { weights, stepNorm } = yield* moved(round, stepBy(round, serverLearningRate));
        const mean = round.means.get(CONTROL) as Float64Array;
        const before = tensors[CONTROL] as Float32Array;
        const control = new Float32Array(before.length);
        yield* copied(control, before, 0);
        const share = round.count / Math.max(round.joined, round.count);
        let own = 0;
        yield* eachTrained(round.model.layout, (from, end) => {
          for (let i = from; i < end; i++)
            control[i] = (control[i] as number) + share * (mean[own++] as number);
        });
        const bounded = yield* boundControl({ before, control, share, values, round, plan: path });
        return {
          state: { values: bounded.values, tensors: { [CONTROL]: control } },
          weights,
          diagnostics: { stepNorm, controlOff: bounded.off },
        };
      },
    },
  };
}

/** cᵢ⁺ − cᵢ = (x − y) / (K η_l) − c, and `more` where given, rounded once. `rate` is K η_l. */
function changeByPath({
  from,
  to,
  c,
  rate,
  more,
}: {
  from: Float32Array;
  to: Float32Array;
  c: Float32Array;
  rate: number;
  more: Float32Array | null;
}): Float32Array {
  const change = new Float32Array(from.length);
  for (let i = 0; i < change.length; i++)
    change[i] = ((from[i] as number) - (to[i] as number)) / rate - (c[i] as number) + (more?.[i] ?? 0);
  return change;
}

/** A copy of a vector of the model's length, its trained parameters moved. */
function movedBy(layout: Layout, values: Float32Array, change: Float32Array): Float32Array {
  const next = values.slice();
  let at = 0;
  finish(
    eachTrained(layout, (from, end) => {
      for (let i = from; i < end; i++) next[i] = (values[i] as number) + (change[at++] as number);
    }),
  );
  return next;
}
