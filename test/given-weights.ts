import type { Coordinator } from '@coppice/coordinator';
import { tensorsOf } from '@coppice/model-files';
import { writeSafetensors } from '@coppice/model-files/safetensors';
import type { CreateTask, Topology } from '@coppice/protocol';
import { describeModel } from '@coppice/training/describe';

/** A file with the weights that a seed draws for a task's model. */
export async function drawnWeights(
  { model, data, loss = 'categoricalCrossentropy' }: Pick<CreateTask, 'model' | 'data' | 'loss'>,
  seed = 5,
): Promise<Uint8Array<ArrayBuffer>> {
  const { layout, weights } = await describeModel({ topology: model as Topology, data, loss }, seed);
  return writeSafetensors(tensorsOf(layout, weights));
}

/** Makes a task whose model has the weights that a seed draws, as given ones. */
export async function createWithWeights(
  { weights, tasks }: Pick<Coordinator, 'weights' | 'tasks'>,
  task: CreateTask,
): Promise<void> {
  const { hash } = await weights.take(await drawnWeights(task));
  await tasks.create({ ...task, weights: hash });
}
