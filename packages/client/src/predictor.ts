import type { TrainerHost } from '@coppice/participant';
import { CoppiceError, layoutSize } from '@coppice/protocol';
import {
  createTrainer,
  type Inputs,
  type ModelDescription,
  type Predicted,
  type Trainer,
} from '@coppice/training';

/** A model that predicts one input at a time. */
export interface Predictor {
  /**
   * The outputs of one input.
   *
   * @param input as the model takes it.
   * @param withFeatures whether the model's features of it are wanted too; else they are null.
   */
  predict(input: Inputs, withFeatures: boolean): Promise<Predicted>;
  dispose(): void;
}

/**
 * Makes a model predict.
 *
 * @throws CoppiceError `checkpoint-mismatch` for weights of other layers, `model-invalid`, `backend-unavailable`,
 *   `backend-lost`
 */
export type MakePredictor = (description: ModelDescription, weights: Float32Array) => Promise<Predictor>;

/** A model in a trainer of its own, in this thread. */
export const ownPredictor: MakePredictor = async (description, weights) => {
  const trainer = await createTrainer(description, { backend: 'planned', seed: 0 });
  try {
    take(trainer, weights);
  } catch (thrown) {
    trainer.dispose();
    throw thrown;
  }
  return {
    predict: (input, withFeatures) => predicted(trainer, input, withFeatures),
    dispose: () => trainer.dispose(),
  };
};

/** Models that predict on a host, which others use too. */
export function predictorsOn(host: TrainerHost): MakePredictor {
  return async (description, weights) => {
    await host.use(description, async (trainer) => take(trainer, weights));
    return {
      predict: (input, withFeatures) =>
        host.use(description, (trainer) => {
          trainer.setWeights(weights);
          return predicted(trainer, input, withFeatures);
        }),
      dispose: () => {},
    };
  };
}

async function predicted(trainer: Trainer, input: Inputs, withFeatures: boolean): Promise<Predicted> {
  if (withFeatures) return trainer.predictWithFeatures(input, 1);
  return { outputs: await trainer.predict(input, 1), features: null };
}

function take(trainer: Trainer, weights: Float32Array): void {
  if (layoutSize(trainer.layout) !== weights.length)
    throw new CoppiceError(
      'checkpoint-mismatch',
      'The released model has other layers than its description. It is not used. An admin releases a checkpoint of the task as it is today.',
    );
  trainer.setWeights(weights);
}
