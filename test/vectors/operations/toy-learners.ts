import type { Learner } from '@coppice/federation';
import type { Layout, Objective } from '@coppice/protocol';

/** A toy model: the gradient and the loss of one batch, in float64. */
export interface ToyModel<Batch> {
  readonly layout: Layout;
  gradient(weights: Float32Array, batch: Batch): ArrayLike<number>;
  loss(weights: Float32Array, batch: Batch): number;
}

/**
 * A device with a case's data and its toy model: plain SGD over the batches in the case's order, each gradient
 * corrected by the objective like the trainers'. Weights are float32, like theirs.
 */
export function toyLearner<Batch>(model: ToyModel<Batch>, batches: readonly Batch[], all: Batch): Learner {
  return {
    layout: model.layout,
    async train(from, how, objective = null) {
      const weights = from.slice();
      let lossSum = 0;
      for (let epoch = 0; epoch < how.epochs; epoch++) {
        lossSum = 0;
        for (const batch of batches) {
          lossSum += model.loss(weights, batch);
          const gradient = corrected(model.gradient(weights, batch), weights, objective);
          for (let i = 0; i < weights.length; i++)
            weights[i] = (weights[i] as number) - how.learningRate * (gradient[i] as number);
        }
      }
      return { weights, steps: how.epochs * batches.length, lossSum, examples: batches.length };
    },
    gradient: async (at) => Float32Array.from(model.gradient(at, all)),
    measure: async (at) => ({ lossSum: model.loss(at, all), examples: 1, hits: null, perClass: null }),
  };
}

/** scale ⊙ g + pull · (w − anchor) + offset. */
function corrected(
  gradient: ArrayLike<number>,
  weights: Float32Array,
  objective: Objective | null,
): ArrayLike<number> {
  if (objective === null) return gradient;
  const { scale, pull, anchor, offset } = objective;
  return Float64Array.from(weights, (w, i) => {
    const factor = typeof scale === 'number' ? scale : (scale[i] as number);
    return factor * (gradient[i] as number) + pull * (w - (anchor?.[i] ?? 0)) + (offset?.[i] ?? 0);
  });
}
