import { MODEL_GROUP } from '../contributions/layout.ts';
import type { ParticipantHalf } from '../strategy.ts';

/**
 * The participant's half of FedAvg and of every strategy whose difference lies on the server: some epochs from the given
 * weights, and the change that they made. With `proximal` above 0 it is FedProx's (Li et al., "Federated Optimization in
 * Heterogeneous Networks", MLSys 2020): μ (w − w₀) is added to every step's gradient.
 */
export const localTraining: ParticipantHalf = {
  async answer({ weights, how, proximal, carry }, learner) {
    const trained = await learner.train(
      weights,
      how,
      proximal === 0 ? null : proximalTerm(proximal, weights),
    );
    return {
      vectors: new Map([[MODEL_GROUP, difference(trained.weights, weights, carry(MODEL_GROUP))]]),
      trained,
      kept: null,
    };
  },
};

/** FedProx's correction of the gradient: μ (w − w₀). */
export function proximalTerm(proximal: number, from: Float32Array) {
  return { scale: 1, pull: proximal, anchor: from, offset: null };
}

/** a − b, and `more` where given, rounded once. */
export function difference(a: Float32Array, b: Float32Array, more: Float32Array | null = null): Float32Array {
  const result = new Float32Array(a.length);
  if (more === null) {
    for (let i = 0; i < a.length; i++) result[i] = (a[i] as number) - (b[i] as number);
  } else {
    for (let i = 0; i < a.length; i++) result[i] = (a[i] as number) - (b[i] as number) + (more[i] as number);
  }
  return result;
}
