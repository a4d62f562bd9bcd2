import { checkLayers, completeNames, readTopology } from '@coppice/model-files';
import type { DataSchema, Layout, Loss, Topology } from '@coppice/protocol';
import { switchTo, useBackend } from './backends.ts';
import { checkGraph } from './check-graph.ts';
import { checkTraining } from './check-training.ts';
import { drawFirstWeights, drawTrialWeights } from './first-weights.ts';
import { seedTopology } from './initialize.ts';
import { type BuiltModel, buildModel } from './model.ts';
import { proposedLoss } from './propose-loss.ts';
import type { ModelDescription } from './trainer.ts';

export { readGraph } from './model-graph.ts';

/**
 * Computes a model's layout, and its initial weights from `seed`.
 *
 * @throws CoppiceError `model-invalid`
 */
export async function describeModel(
  description: ModelDescription,
  seed: number,
): Promise<{ layout: Layout; weights: Float32Array }> {
  // Plain JavaScript: nothing to start, and the same arithmetic for initializers that compute.
  return withBuilt(description, seed, ({ model, layout }) => ({
    layout,
    weights: drawFirstWeights(model, layout),
  }));
}

/**
 * Draws weights to try a model with: close to its initial ones, and fast to draw. See `drawTrialWeights`.
 *
 * @throws CoppiceError `model-invalid`, also where initial weights could not be drawn.
 */
export function trialWeights(description: ModelDescription): Promise<Float32Array> {
  return withBuilt(description, 0, ({ model, layout }) => drawTrialWeights(model, layout));
}

/**
 * The layout of a model of any kind.
 *
 * @throws CoppiceError `model-invalid`
 */
export function builtLayout(description: ModelDescription): Promise<Layout> {
  return withBuilt(description, 0, ({ layout }) => layout);
}

async function withBuilt<T>(
  description: ModelDescription,
  seed: number,
  use: (built: BuiltModel) => T,
): Promise<T> {
  await useBackend('cpu');
  switchTo('cpu');
  const built = await buildModel(description, seed);
  try {
    switchTo('cpu'); // another trainer may have run meanwhile
    return use(built);
  } finally {
    built.model.dispose();
  }
}

/**
 * Checks that an uploaded model can be built, fits the data, and can be trained with the loss.
 *
 * @param model The content of a `model.json`, or a topology alone.
 * @param given null: the loss that fits data and model.
 * @returns The topology alone, to store, every layer with a name of its own, and the loss.
 * @throws CoppiceError `model-invalid`, with the exact fault.
 */
export async function checkModel(
  model: unknown,
  data: DataSchema,
  given: Loss | null,
): Promise<{ topology: Topology; layout: Layout; loss: Loss }> {
  const read = readTopology(model);
  checkLayers(read);
  // Before names are mended: a graph that contradicts itself is refused.
  checkGraph(seedTopology(read, 0));
  const topology = completeNames(read);
  const loss = given ?? proposedLoss(topology, data);
  const description = { topology, data, loss };
  const { layout, weights } = await withBuilt(description, 0, (built) => ({
    layout: built.layout,
    weights: drawTrialWeights(built.model, built.layout),
  }));
  await checkTraining(description, weights);
  return { topology, layout, loss };
}
