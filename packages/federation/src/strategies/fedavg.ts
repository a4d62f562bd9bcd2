import type { RoundResult, Strategy } from '../strategy.ts';
import { localTraining } from './local-training.ts';
import { type Move, moved } from './moved.ts';

/**
 * Federated averaging (McMahan et al., "Communication-Efficient Learning of Deep Networks from
 * Decentralized Data", AISTATS 2017, Algorithm 1): w ← w + η Σ nₖ Δₖ / Σ nₖ. With a server learning
 * rate η of 1 this is the example-weighted mean of the participants' new weights.
 */
export function fedavg({ serverLearningRate = 1 }: { serverLearningRate?: number } = {}): Strategy {
  return {
    name: 'fedavg',
    needs: 'sum',
    participant: localTraining,
    server: {
      init: () => ({ values: {}, tensors: {} }),
      *apply(state, round) {
        const { weights, stepNorm } = yield* moved(round, stepBy(round, serverLearningRate));
        return { state, weights, diagnostics: { stepNorm } };
      },
    },
  };
}

/** w ← w + rate · mean, with one rounding, from float64 to float32, on store. */
export function stepBy({ model, mean }: Pick<RoundResult, 'model' | 'mean'>, rate: number): Move {
  const before = model.weights;
  return (to, from, end) => {
    let squares = 0;
    for (let i = from; i < end; i++) {
      const step = rate * (mean[i] as number);
      to[i] = (before[i] as number) + step;
      squares += step * step;
    }
    return squares;
  };
}
