import type { DataSchema, Layout, Loss, Topology } from '@coppice/protocol';
import { checkTraining } from './check-training.ts';
import { readTopology } from './read-topology.ts';
import { createTfjsTrainer } from './tfjs-trainer.ts';
import type { ModelDescription } from './trainer.ts';

/**
 * The layout of a model and the weights that `seed` gives it: the first weights of a run.
 *
 * @throws CoppiceError `model-invalid`
 */
export async function describeModel(
  description: ModelDescription,
  seed: number,
): Promise<{ layout: Layout; weights: Float32Array }> {
  // Plain JavaScript: nothing to start, and the same arithmetic for initializers that compute.
  const trainer = await createTfjsTrainer(description, { backend: 'cpu', seed });
  try {
    return { layout: trainer.layout, weights: await trainer.getWeights() };
  } finally {
    trainer.dispose();
  }
}

/**
 * Checks a model that someone brought: that it can be built, fits the data, and can be trained with
 * the loss.
 *
 * @param model The content of a `model.json`, or a topology alone.
 * @returns The topology alone, to keep.
 * @throws CoppiceError `model-invalid`, saying exactly what is wrong.
 */
export async function checkModel(
  model: unknown,
  data: DataSchema,
  loss: Loss,
): Promise<{ topology: Topology; layout: Layout }> {
  const topology = readTopology(model);
  const { layout } = await describeModel({ topology, data, loss }, 0);
  await checkTraining({ topology, data, loss });
  return { topology, layout };
}
