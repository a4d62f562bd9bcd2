import type { Layout, LocalTraining, TensorSpec } from '@coppice/protocol';
import type { Measures } from './contributions/measures.ts';
import type { Learner, Trained } from './learner.ts';
import type { Norms } from './pipeline/norm-bound.ts';
import type { Steps } from './steps.ts';
import type { Rows } from './sums/rows.ts';

/** A value that survives `JSON.stringify` and back. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/**
 * Memory of a strategy between rounds, on the server or on a device: plain values and tensors. Serializable as it
 * stands.
 */
export interface StrategyState {
  readonly values: { readonly [key: string]: Json };
  readonly tensors: { readonly [key: string]: Float32Array };
}

/** A global model: flat weights in layout order. */
export interface GlobalModel {
  readonly layout: Layout;
  readonly weights: Float32Array;
}

/** The size of one contribution that counted. */
export interface ContributionSize {
  /** Its weight in the sum. */
  readonly weight: number;
  /** L2 norms of its vectors before scaling, by the names of norms. */
  readonly norms: Norms;
}

/** The contributions of a round, as a strategy's server half sees them. */
export interface RoundResult {
  readonly round: number;
  /** The model that the round began from. */
  readonly model: GlobalModel;
  /** The combined change of the model, in float64 and of the model's length: the weighted mean, or what `combine` made. */
  readonly mean: Float64Array;
  /** The means of the strategy's further groups, by name. */
  readonly means: ReadonlyMap<string, Float64Array>;
  readonly measures: Measures;
  /** Contributions counted, and the sum of their weights. */
  readonly count: number;
  readonly weight: number;
  /** Participants that count as the run's when the round was opened; recorded in its opening. */
  readonly joined: number;
  /** The sizes of all contributions, in an order that a restart does not change; left out where they are not known. */
  readonly sizes?: readonly ContributionSize[];
}

export interface Applied {
  readonly state: StrategyState;
  readonly weights: Float32Array;
  /** Numbers worth a line in the log, e.g. the norm of the step taken. */
  readonly diagnostics: Readonly<Record<string, number>>;
}

/** The server's half of a strategy: deterministic, without hidden state, and never keeping or changing its arguments. */
export interface ServerHalf {
  init(model: GlobalModel): StrategyState;
  /** Tensors that every participant is given beside the model, by name; each as long as the model, and 0 at frozen tensors. Left out: none. */
  given?(state: StrategyState): Readonly<Record<string, Float32Array>>;
  /**
   * The combined change of the model, from every participant's own: for strategies that need rows.
   *
   * @param turn lets other work have its turn; called after each piece of all rows' numbers.
   * @returns the model's length, in float64.
   */
  combine?(rows: Rows, turn: () => Promise<void>): Promise<Float64Array>;
  /** The next model and memory, a piece of the model at a time. */
  apply(state: StrategyState, round: RoundResult): Steps<Applied>;
}

/** A question to a participant: train from these weights. */
export interface Asked {
  readonly weights: Float32Array;
  readonly how: LocalTraining;
  /** FedProx's μ; 0: none. */
  readonly proximal: number;
  /** Tensors given beside the model, by name. */
  readonly given: Readonly<Record<string, Float32Array>>;
  /** Numbers to be added to a group of the answer, rounded once with it: those that a codec left out before. */
  carry(group: string): Float32Array | null;
  /** This strategy's state on the device after its last contribution that counted; `null`: none. */
  readonly kept: StrategyState | null;
}

/** A participant's answer, before the pipeline. */
export interface Answered {
  /** By group of the layout, each as long as its group. */
  readonly vectors: ReadonlyMap<string, Float32Array>;
  readonly trained: Trained;
  /** State to be kept once this contribution has counted, from its vectors as they arrive; `null`: none. */
  readonly kept: ((arrives: ReadonlyMap<string, Float32Array>) => StrategyState) | null;
}

/** The participant's half of a strategy. It sees the data only through the learner. */
export interface ParticipantHalf {
  answer(asked: Asked, learner: Learner): Promise<Answered>;
}

/**
 * A training rule with both halves: what a participant computes, and how the sum becomes the next model. The coordinator
 * stores the server's state with the checkpoint, so resuming a run is calling `apply` again; a device's state becomes
 * current only when the contribution that it belongs to was counted.
 */
export interface Strategy {
  readonly name: string;
  /** `sum` where the server half uses the sum of the contributions, `rows` where it uses each of them. */
  readonly needs: 'sum' | 'rows';
  /** The groups that participants send beside the model's own change. Left out: none. */
  groups?(model: Layout): TensorSpec[];
  readonly participant: ParticipantHalf;
  readonly server: ServerHalf;
}
