import { shapeSize } from '@coppice/protocol';
import { finish, STEP_PARAMETERS, type Steps } from '../steps.ts';
import type { Applied, RoundResult, Strategy, StrategyState } from '../strategy.ts';

/**
 * Federated averaging (McMahan et al., "Communication-Efficient Learning of Deep Networks from
 * Decentralized Data", AISTATS 2017, Algorithm 1): w ← w + η Σ nₖ Δₖ / Σ nₖ. With a server learning
 * rate η of 1 this is the example-weighted mean of the participants' new weights.
 *
 * Non-trainable weights (batch-norm statistics) take the plain mean whatever η is: they are
 * measurements, not steps.
 */
export function fedavg({ serverLearningRate = 1 }: { serverLearningRate?: number } = {}): Strategy {
  function* applyInSteps(state: StrategyState, { model, mean }: RoundResult): Steps<Applied> {
    const weights = new Float32Array(model.weights.length);
    let squares = 0;
    let at = 0;
    let room = STEP_PARAMETERS;
    for (const { shape, trainable } of model.layout) {
      const rate = trainable ? serverLearningRate : 1;
      for (const end = at + shapeSize(shape); at < end; ) {
        if (room === 0) {
          yield;
          room = STEP_PARAMETERS;
        }
        const to = Math.min(end, at + room);
        squares = move(weights, model.weights, mean, rate, squares, at, to);
        room -= to - at;
        at = to;
      }
    }
    return { state, weights, diagnostics: { stepNorm: Math.sqrt(squares) } };
  }
  return {
    name: 'fedavg',
    init: () => ({ values: {}, tensors: {} }),
    apply: (state, round) => finish(applyInSteps(state, round)),
    applyInSteps,
  };
}

/** Moves the weights from `from` to before `to`. @returns `squares` and those of the steps taken. */
function move(
  weights: Float32Array,
  before: Float32Array,
  mean: Float64Array,
  rate: number,
  squares: number,
  from: number,
  to: number,
): number {
  let sum = squares;
  for (let i = from; i < to; i++) {
    const step = rate * (mean[i] as number);
    // One rounding, from float64 to float32, on store.
    weights[i] = (before[i] as number) + step;
    sum += step * step;
  }
  return sum;
}
