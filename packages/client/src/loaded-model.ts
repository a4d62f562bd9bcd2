import { CoppiceError, type DataSchema, recipeHash, weightsHash } from '@coppice/protocol';
import type { MakePredictor, Predictor } from './predictor.ts';
import type { Freshness, Released, Releases } from './releases.ts';

/** A model that was checked and is ready to predict. */
export interface LoadedModel {
  readonly released: Released;
  readonly data: DataSchema;
  readonly predictor: Predictor;
}

/**
 * Loads a checkpoint: its task's recipe and its weights, both held against their hashes.
 *
 * @throws CoppiceError `checkpoint-mismatch` for a model of another recipe or with other layers, `frame-invalid` for
 *   weights that are not those of the hash; those of `MakePredictor` and of `Releases`.
 */
export async function loadModel(
  releases: Releases,
  released: Released,
  freshness: Freshness,
  makePredictor: MakePredictor,
): Promise<LoadedModel> {
  const { data, loss } = await releases.task(freshness);
  if (recipeHash(data) !== released.recipe)
    throw new CoppiceError(
      'checkpoint-mismatch',
      `The released model ${released.checkpoint} is for data that are prepared otherwise than this page prepares them. It is not used. Load the page anew; if that does not help, it needs a newer version of the client library.`,
    );
  const weights = await checkedWeights(releases, released);
  const description = { topology: released.topology, data, loss };
  return { released, data, predictor: await makePredictor(description, weights) };
}

async function checkedWeights(releases: Releases, { hash, checkpoint }: Released): Promise<Float32Array> {
  for (const anew of [false, true]) {
    const bytes = await releases.weights(hash, anew);
    const weights = new Float32Array(bytes.byteLength % 4 === 0 ? bytes : new ArrayBuffer(0));
    if (weightsHash(weights) === hash) return weights;
  }
  throw new CoppiceError(
    'frame-invalid',
    `The weights of the released model ${checkpoint} were changed or damaged on their way here. They are not used, and are fetched again later.`,
  );
}
