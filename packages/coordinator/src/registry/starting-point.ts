import { type CheckpointId, CoppiceError, type Layout, layoutHash, type Task } from '@coppice/protocol';
import type { ModelWorker } from '../model-worker/model-worker.ts';
import type { Storage } from '../storage/storage.ts';

/**
 * Loads the weights of the checkpoint that a new run of a task begins with.
 *
 * @throws CoppiceError `checkpoint-unknown` where there is no such checkpoint, or its weights were deleted;
 *   `checkpoint-mismatch` where it is another task's, or the task's model has changed since.
 */
export async function startingPoint(
  from: CheckpointId,
  { task, storage, models }: { task: Task; storage: Storage; models: ModelWorker },
): Promise<{ layout: Layout; weights: Float32Array }> {
  const checkpoint = await storage.checkpoint(from);
  if (checkpoint === null) throw unknown(from);
  if (checkpoint.task !== task.id)
    throw new CoppiceError(
      'checkpoint-mismatch',
      `The checkpoint ${from} is of the task "${checkpoint.task}", so a run of "${task.id}" cannot begin from it. Choose a checkpoint of "${task.id}".`,
    );
  const layout = await models.layout(task);
  // A built-in task may have changed since; a run keeps the task as it was.
  const maker = (await storage.runs()).find(({ id }) => id === checkpoint.run);
  const before = maker === undefined ? layout : await models.layout(maker.task);
  if (!sameBytes(layoutHash(before), layoutHash(layout)))
    throw new CoppiceError(
      'checkpoint-mismatch',
      `The checkpoint ${from} was made when the model of "${task.id}" had other layers, so a run of today cannot begin from it. Choose a newer one.`,
    );
  const weights = await storage.weights(checkpoint.hash).catch(async (thrown: unknown) => {
    // The retention rule may have deleted it since it was found.
    if ((await storage.checkpoint(from)) === null) throw unknown(from);
    throw thrown;
  });
  return { layout, weights };
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

function unknown(from: CheckpointId): CoppiceError {
  return new CoppiceError(
    'checkpoint-unknown',
    `There is no checkpoint ${from}, or it was deleted. GET /api/runs/<run>/checkpoints lists those there are.`,
  );
}
