import {
  type Checkpoint,
  type CheckpointId,
  CoppiceError,
  type Layout,
  layoutHash,
  type Task,
} from '@coppice/protocol';
import type { ModelWorker } from '../model-worker/model-worker.ts';
import type { Storage } from '../storage/storage.ts';
import { checkpointGone } from '../storage/storage-error.ts';

/**
 * Finds a checkpoint that fits a task as it is today, with its weights: one that a run can begin from, and that a
 * channel can name.
 *
 * @throws CoppiceError `checkpoint-unknown` where there is no such checkpoint, or its weights were deleted;
 *   `checkpoint-mismatch` where it is another task's, or the task's model has changed since.
 */
export async function fittingCheckpoint(
  id: CheckpointId,
  { task, storage, models }: { task: Task; storage: Storage; models: ModelWorker },
): Promise<{ checkpoint: Checkpoint; layout: Layout; weights: Float32Array }> {
  const checkpoint = await storage.checkpoint(id);
  if (checkpoint === null) throw checkpointGone(id);
  if (checkpoint.task !== task.id)
    throw new CoppiceError(
      'checkpoint-mismatch',
      `The checkpoint ${id} is of the task "${checkpoint.task}", not of "${task.id}". Choose a checkpoint of "${task.id}".`,
    );
  const layout = await models.layout(task);
  // A built-in task may have changed since; a run keeps the task as it was.
  const maker = (await storage.runs()).find((run) => run.id === checkpoint.run);
  const before = maker === undefined ? layout : await models.layout(maker.task);
  if (!sameBytes(layoutHash(before), layoutHash(layout)))
    throw new CoppiceError(
      'checkpoint-mismatch',
      `The checkpoint ${id} was made when the model of "${task.id}" had other layers, so it fits no run and no page of today. Choose a newer one.`,
    );
  const weights = await storage.weights(checkpoint.hash).catch(async (thrown: unknown) => {
    // The retention rule may have deleted it since it was found.
    if ((await storage.checkpoint(id)) === null) throw checkpointGone(id);
    throw thrown;
  });
  return { checkpoint, layout, weights };
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
