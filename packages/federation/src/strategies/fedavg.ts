import { shapeSize } from '@coppice/protocol';
import type { Strategy } from '../strategy.ts';

/**
 * Federated averaging (McMahan et al., "Communication-Efficient Learning of Deep Networks from
 * Decentralized Data", AISTATS 2017, Algorithm 1): w ← w + η Σ nₖ Δₖ / Σ nₖ. With a server learning
 * rate η of 1 this is the example-weighted mean of the participants' new weights.
 *
 * Non-trainable weights (batch-norm statistics) take the plain mean whatever η is: they are
 * measurements, not steps.
 */
export function fedavg({ serverLearningRate = 1 }: { serverLearningRate?: number } = {}): Strategy {
  return {
    name: 'fedavg',
    init: () => ({ values: {}, tensors: {} }),
    apply(state, { model, mean }) {
      const weights = new Float32Array(model.weights.length);
      let squares = 0;
      let at = 0;
      for (const { shape, trainable } of model.layout) {
        const rate = trainable ? serverLearningRate : 1;
        for (const end = at + shapeSize(shape); at < end; at++) {
          const step = rate * (mean[at] as number);
          // One rounding, from float64 to float32, on store.
          weights[at] = (model.weights[at] as number) + step;
          squares += step * step;
        }
      }
      return { state, weights, diagnostics: { stepNorm: Math.sqrt(squares) } };
    },
  };
}
