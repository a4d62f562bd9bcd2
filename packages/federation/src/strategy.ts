import type { Layout } from '@coppice/protocol';
import type { Steps } from './steps.ts';

/** A value that survives `JSON.stringify` and back. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** A strategy's memory between rounds: plain values and tensors of the model's length. Serializable as it stands. */
export interface StrategyState {
  readonly values: { readonly [key: string]: Json };
  readonly tensors: { readonly [key: string]: Float32Array };
}

/** A global model: flat weights in layout order. */
export interface GlobalModel {
  readonly layout: Layout;
  readonly weights: Float32Array;
}

/** What a round gives a strategy. */
export interface RoundResult {
  readonly round: number;
  /** The model that the round began from. */
  readonly model: GlobalModel;
  /** The mean update, weighted by example count: float64, the model's length. */
  readonly mean: Float64Array;
  readonly updates: number;
  readonly examples: number;
}

export interface Applied {
  readonly state: StrategyState;
  readonly weights: Float32Array;
  /** Numbers worth a line in the log, e.g. the norm of the step taken. */
  readonly diagnostics: Readonly<Record<string, number>>;
}

/**
 * The rule that turns a round's updates into the next global model: a value, without hidden state.
 * The coordinator stores `state` with the checkpoint, so resuming a run is calling `apply` again.
 *
 * A strategy must be deterministic and must not keep or change its arguments.
 *
 * @example
 * // Counts rounds and leaves the model as it is.
 * const counting: Strategy = {
 *   name: 'counting',
 *   init: () => ({ values: { rounds: 0 }, tensors: {} }),
 *   apply: (state, { model }) => ({
 *     state: { ...state, values: { rounds: Number(state.values.rounds) + 1 } },
 *     weights: model.weights.slice(),
 *     diagnostics: {},
 *   }),
 * };
 */
export interface Strategy {
  readonly name: string;
  init(model: GlobalModel): StrategyState;
  apply(state: StrategyState, round: RoundResult): Applied;
  /** The same, a piece of the model at a time; whoever has other things to do in between takes this where it is. */
  applyInSteps?(state: StrategyState, round: RoundResult): Steps<Applied>;
}
