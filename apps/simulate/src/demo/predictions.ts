import { normaliseFeatures, type RawExamples } from '@coppice/datasets';
import type { TaskModel, TaskSource, TrainerHost } from '@coppice/participant';
import type { Task } from '@coppice/protocol';
import { type Answer, accuracyOf, rowOf } from '../scenario/predictor.ts';

/** The models that are kept: two releases and a canary, with one to spare. */
const MOST_MODELS = 4;

/** Predicts with the checkpoints of a task, and keeps the last ones. */
export class Predictions {
  readonly #task: Pick<Task, 'id' | 'data' | 'loss'>;
  readonly #source: TaskSource;
  readonly #host: TrainerHost;
  readonly #models = new Map<string, Promise<TaskModel>>();

  constructor(task: Pick<Task, 'id' | 'data' | 'loss'>, source: TaskSource, host: TrainerHost) {
    this.#task = task;
    this.#source = source;
    this.#host = host;
  }

  /** @returns one answer for each example. */
  async predict(hash: string, { count, features }: RawExamples): Promise<Answer[]> {
    const { topology, weights } = await this.#model(hash);
    const { data, loss } = this.#task;
    const flat = await this.#host.use({ topology, data, loss }, async (trainer) => {
      trainer.setWeights(weights);
      return trainer.predictWithFeatures(normaliseFeatures(features, data), count);
    });
    return Array.from({ length: count }, (_, row) => ({
      output: rowOf(flat.outputs, row, count),
      features: flat.features === null ? null : rowOf(flat.features, row, count),
    }));
  }

  /** @returns the share of right answers, 0–1. */
  async accuracy(hash: string, examples: RawExamples): Promise<number> {
    return accuracyOf(await this.predict(hash, examples), examples.labels);
  }

  #model(hash: string): Promise<TaskModel> {
    const model = this.#models.get(hash) ?? this.#source.model(this.#task.id, hash);
    this.#models.delete(hash);
    this.#models.set(hash, model);
    for (const oldest of [...this.#models.keys()].slice(0, -MOST_MODELS)) this.#models.delete(oldest);
    // A model that could not be read is asked for again.
    model.catch(() => this.#models.delete(hash));
    return model;
  }
}
