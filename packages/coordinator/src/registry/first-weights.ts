import { keepFrozen } from '@coppice/federation';
import { type FirstWeights, isFrozen, type Layout, type Task } from '@coppice/protocol';
import type { ModelWorker } from '../model-worker/model-worker.ts';
import type { Storage } from '../storage/storage.ts';
import { inTurns } from '../turns.ts';

export interface FirstModel {
  readonly layout: Layout;
  readonly weights: Float32Array;
  /** Left out where the task has no given weights. */
  readonly firstWeights?: FirstWeights;
}

/**
 * The weights of a run that begins from no checkpoint: those given with the task, or drawn from the seed.
 *
 * @param drawn true for drawn ones even where the task has given weights; frozen ones are the given ones all the same.
 * @throws CoppiceError `model-invalid`, `evaluation-failed`; `storage-*`.
 */
export async function firstWeights({
  task,
  storage,
  models,
  seed,
  drawn,
}: {
  task: Task;
  storage: Pick<Storage, 'weights'>;
  models: ModelWorker;
  seed: number;
  drawn: boolean;
}): Promise<FirstModel> {
  if (task.weights === undefined) return models.describe(task, seed);
  const given = await storage.weights(task.weights);
  if (!drawn) return { layout: await models.layout(task), weights: given, firstWeights: 'given' };
  const { layout, weights } = await models.describe(task, seed);
  if (!layout.some(isFrozen)) return { layout, weights, firstWeights: 'seed' };
  // Those of the cache belong to others too.
  const mixed = weights.slice();
  await inTurns(keepFrozen(layout, given, mixed));
  return { layout, weights: mixed, firstWeights: 'seed' };
}
