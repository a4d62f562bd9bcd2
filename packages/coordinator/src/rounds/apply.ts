import type { GlobalModel, Strategy, StrategyState } from '@coppice/federation';
import { hashInSlices, toBytes } from '../storage/blobs.ts';
import { inTurns } from '../turns.ts';
import type { OpenRound } from './open-round.ts';

/** A model that a round made, not yet committed. */
export interface NextModel {
  readonly weights: Float32Array;
  readonly hash: string;
  readonly state: StrategyState;
  readonly diagnostics: Readonly<Record<string, number>>;
}

/**
 * Step 6: the strategy turns the mean update into the next global model. A piece of the model a turn of the
 * event loop; nothing is added to the round's sum meanwhile, since it is no longer collected.
 */
export async function apply(
  open: OpenRound,
  strategy: Strategy,
  state: StrategyState,
  model: GlobalModel,
): Promise<NextModel> {
  const result = {
    round: open.round,
    model,
    mean: await inTurns(open.sum.meanInSteps()),
    updates: open.sum.updates,
    examples: open.sum.examples,
  };
  const applied =
    strategy.applyInSteps === undefined
      ? strategy.apply(state, result)
      : await inTurns(strategy.applyInSteps(state, result));
  return { ...applied, hash: await hashInSlices(toBytes(applied.weights)) };
}
