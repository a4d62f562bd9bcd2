import { normaliseFeatures } from '@coppice/datasets';
import type { SavedModel, TrainerHost } from '@coppice/participant';
import { classesOf, type Task, targetOf } from '@coppice/protocol';
import { modelOf } from '@coppice/training';
import type { Comparison, Prediction } from './api.ts';

/** Predicts with the first and the newest model; with the first only where it is known. */
export async function compare(
  task: Task,
  { first, latest }: { first: SavedModel | null; latest: SavedModel },
  host: TrainerHost,
  features: Uint8Array | Float32Array | Float64Array,
): Promise<Comparison> {
  const xs = normaliseFeatures(features, task.data);
  const description = modelOf(task);
  const ask = ({ round, weights }: SavedModel): Promise<Prediction> =>
    host.use(description, async (trainer) => {
      trainer.setWeights(weights);
      const output = [...(await trainer.predict(xs, 1))];
      return {
        round,
        output:
          classesOf(task.data) === null
            ? output.map((value, column) => targetOf(value, task.data, column))
            : output,
      };
    });
  const before = first === null ? null : await ask(first);
  return { before, after: before !== null && first === latest ? before : await ask(latest) };
}
