import type { Strategy } from '../strategy.ts';
import { coordinateWise } from '../sums/rows.ts';
import { stepBy } from './fedavg.ts';
import { localTraining } from './local-training.ts';
import { moved } from './moved.ts';

/**
 * The coordinate-wise median (Yin et al., "Byzantine-Robust Distributed Learning: Towards Optimal Statistical Rates",
 * ICML 2018): every parameter, running statistics among them, moves by the median of the participants' changes. Of an
 * even number it is the mean of the two in the middle. Weights play no part: a participant's word for its number of
 * examples is what a robust rule must not trust.
 */
export function median({ serverLearningRate = 1 }: { serverLearningRate?: number } = {}): Strategy {
  return {
    name: 'median',
    needs: 'rows',
    participant: localTraining,
    server: {
      init: () => ({ values: {}, tensors: {} }),
      combine: (rows, turn) => coordinateWise(rows, medianOf, turn),
      *apply(state, round) {
        const { weights, stepNorm } = yield* moved(round, stepBy(round, serverLearningRate));
        return { state, weights, diagnostics: { stepNorm } };
      },
    },
  };
}

/** Sorts its argument. */
function medianOf(values: Float64Array): number {
  values.sort();
  const middle = values.length >> 1;
  const upper = values[middle] as number;
  return values.length % 2 === 1 ? upper : ((values[middle - 1] as number) + upper) / 2;
}
