import type { Metrics, Task } from '@coppice/protocol';
import { Failure } from '../failure.ts';
import type { ModelWorker } from '../model-worker/model-worker.ts';

/**
 * Step 7: evaluates the new model on the coordinator's test data; `null` where it has none. A model whose loss is not a
 * number is refused here, before it is committed.
 *
 * @throws CoppiceError `training-diverged`, `evaluation-failed`.
 */
export async function evaluate(
  models: ModelWorker,
  task: Task,
  weights: Float32Array,
): Promise<Metrics | null> {
  const metrics = await models.evaluate(task, weights);
  if (metrics !== null && (metrics.loss === null || !Number.isFinite(metrics.loss))) {
    throw new Failure({ code: 'training-diverged', facts: { on: 'model' } });
  }
  return metrics;
}
