import { copied } from '../codecs/interleaved.ts';
import type { RoundResult, Strategy } from '../strategy.ts';
import { localTraining } from './local-training.ts';
import { moved } from './moved.ts';

/** The second moment after a round: from the one before and the square of the mean change. */
type SecondMoment = (v: number, square: number) => number;

export interface FedOptOptions {
  /** η, the server's learning rate. */
  readonly serverLearningRate: number;
  /** β₁, the share of the first moment that stays; 0 ≤ β₁ < 1. */
  readonly serverBeta1: number;
  /** β₂, the share of the second moment that stays; 0 ≤ β₂ < 1. */
  readonly serverBeta2: number;
  /** τ, the adaptivity: added to √v. Above 0. */
  readonly serverTau: number;
  /** The second moment before the first round; τ² where left out, the least that the paper allows. */
  readonly initial?: number;
}

/**
 * Adaptive federated optimization (Reddi et al., "Adaptive Federated Optimization", ICLR 2021, arXiv:2003.00295,
 * Algorithm 2), on the weighted mean change Δ:
 *
 *   m ← β₁ m + (1 − β₁) Δ,   v ← second(v, Δ²),   w ← w + η m / (√v + τ).
 *
 * No bias is corrected, as in the paper (Flower corrects it for FedAdam). Moments are kept in float32.
 */
function fedOpt(
  name: string,
  second: SecondMoment,
  { serverLearningRate, serverBeta1: beta1, serverTau: tau, initial = tau * tau }: FedOptOptions,
): Strategy {
  return {
    name,
    needs: 'sum',
    participant: localTraining,
    server: {
      init: ({ weights }) => ({
        values: {},
        tensors: {
          m: new Float32Array(weights.length),
          v: new Float32Array(weights.length).fill(initial),
        },
      }),
      *apply({ values, tensors }, round) {
        const { model, mean }: Pick<RoundResult, 'model' | 'mean'> = round;
        const before = { m: tensors.m as Float32Array, v: tensors.v as Float32Array };
        const length = model.weights.length;
        const after = { m: new Float32Array(length), v: new Float32Array(length) };
        yield* copied(after.m, before.m, 0);
        yield* copied(after.v, before.v, 0);
        const { weights, stepNorm } = yield* moved(round, (to, from, end) => {
          let squares = 0;
          for (let i = from; i < end; i++) {
            const change = mean[i] as number;
            const m = beta1 * (before.m[i] as number) + (1 - beta1) * change;
            const v = second(before.v[i] as number, change * change);
            const step = (serverLearningRate * m) / (Math.sqrt(v) + tau);
            after.m[i] = m;
            after.v[i] = v;
            to[i] = (model.weights[i] as number) + step;
            squares += step * step;
          }
          return squares;
        });
        return { state: { values, tensors: after }, weights, diagnostics: { stepNorm } };
      },
    },
  };
}

/** FedAdam: v ← β₂ v + (1 − β₂) Δ². */
export function fedadam(options: FedOptOptions): Strategy {
  const { serverBeta2: beta2 } = options;
  return fedOpt('fedadam', (v, square) => beta2 * v + (1 - beta2) * square, options);
}

/** FedYogi: v ← v − (1 − β₂) Δ² sign(v − Δ²). */
export function fedyogi(options: FedOptOptions): Strategy {
  const { serverBeta2: beta2 } = options;
  return fedOpt('fedyogi', (v, square) => v - (1 - beta2) * square * Math.sign(v - square), options);
}
