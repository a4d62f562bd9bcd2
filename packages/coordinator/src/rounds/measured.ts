import type { Metrics, Round } from '@coppice/protocol';
import type { Measured } from '../storage/storage.ts';
import { type Federated, withFederated } from './open-round.ts';
import type { RunLog } from './run-log.ts';
import type { RunOptions } from './run-state.ts';

/** A model that participants measure with their answers to the question after it. */
export interface MeasuredModel {
  /** The record of the round that made it; `null` for one that the run began from. */
  readonly made: Round | null;
  readonly round: number;
  readonly central: Metrics | null;
}

/** Measurements that are stored, and their meaning for the log. */
export interface ToldMeasured extends Measured {
  /** True where most participants could tell no finite loss. */
  readonly isLossNull: boolean;
}

/** Participants' measurements of a model, as they are stored; `null` where there are none. */
export function measuredOf(
  run: string,
  { made, round, central }: MeasuredModel,
  federated: Federated | null,
): ToldMeasured | null {
  if (federated === null) return null;
  return {
    checkpoint: {
      run,
      round,
      central,
      federated: federated.mean,
      typicalLoss: federated.loss?.median ?? null,
    },
    round: made === null ? null : withFederated(made, federated),
    isLossNull: federated.isLossNull,
  };
}

/** Tells of measurements that are stored. */
export function tellMeasured(
  { checkpoint, round, isLossNull }: ToldMeasured,
  log: RunLog,
  observer: RunOptions['observer'],
): void {
  const { federated } = checkpoint;
  if (federated !== null && isLossNull)
    log.add('warning', 'federated-loss-null', { examples: federated.examples }, checkpoint.round);
  if (round !== null) observer.roundChanged(round);
}
