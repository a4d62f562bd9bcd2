import type { GlobalModel, Strategy, StrategyState } from '@coppice/federation';
import { hashOf, toBytes } from '../storage/blobs.ts';
import type { OpenRound } from './open-round.ts';

/** A model that a round made, not yet committed. */
export interface NextModel {
  readonly weights: Float32Array;
  readonly hash: string;
  readonly state: StrategyState;
  readonly diagnostics: Readonly<Record<string, number>>;
}

/** Step 6: the strategy turns the mean update into the next global model. */
export function apply(
  open: OpenRound,
  strategy: Strategy,
  state: StrategyState,
  model: GlobalModel,
): NextModel {
  const applied = strategy.apply(state, {
    round: open.round,
    model,
    mean: open.sum.mean(),
    updates: open.sum.updates,
    examples: open.sum.examples,
  });
  return { ...applied, hash: hashOf(toBytes(applied.weights)) };
}
