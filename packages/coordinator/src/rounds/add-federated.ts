import type { Metrics, Round } from '@coppice/protocol';
import { type Federated, withFederated } from './open-round.ts';
import type { RunLog } from './run-log.ts';
import type { RunOptions } from './run-state.ts';

/**
 * Stores participants' measurements of a model, which come with the answers to the question after it.
 *
 * @param model.made the record of the round that made the model; `null` for one that the run began from.
 * @param federated `null`: there are none.
 */
export async function addFederated(
  { made, round, central }: { made: Round | null; round: number; central: Metrics | null },
  federated: Federated | null,
  log: RunLog,
  { record, storage, observer }: Pick<RunOptions, 'record' | 'storage' | 'observer'>,
): Promise<void> {
  if (federated === null) return;
  const { mean, loss, isLossNull } = federated;
  if (isLossNull) log.add('warning', 'federated-loss-null', { examples: mean.examples }, round);
  await storage.putMetrics({
    run: record.id,
    round,
    central,
    federated: mean,
    typicalLoss: loss?.median ?? null,
  });
  if (made === null) return;
  const amended = withFederated(made, federated);
  await storage.putRound(amended);
  observer.roundChanged(amended);
}
