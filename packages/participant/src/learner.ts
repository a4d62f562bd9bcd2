import type { Learner } from '@coppice/federation';
import type { Dataset, Trainer, TrainOptions } from '@coppice/training';

/**
 * Binds a trainer to a device's training share. Each call sets the trainer's weights first. Use it only while the
 * trainer is lent.
 *
 * @param data the training examples, without those held out.
 * @param options progress reports, and the signal that stops the work.
 */
export function learnerOf(
  trainer: Trainer,
  data: Dataset,
  options: Pick<TrainOptions, 'onProgress' | 'signal'> = {},
): Learner {
  return {
    layout: trainer.layout,
    async train(from, how, objective = null) {
      trainer.setWeights(from);
      const trained = await trainer.train(data, how, { ...options, objective });
      const { weights, steps, lossSum, examples } = trained;
      return { weights, steps, lossSum, examples };
    },
    async gradient(at) {
      trainer.setWeights(at);
      return trainer.gradient(data, options);
    },
    async measure(at) {
      trainer.setWeights(at);
      return trainer.measure(data);
    },
  };
}
