import { type RawExamples, trainerExamples } from '@coppice/datasets';
import type { TaskSource } from '@coppice/participant';
import type { Task } from '@coppice/protocol';
import { createTrainer, type Trainer } from '@coppice/training';

/** Predicts with any checkpoint of one task. */
export class Predictor {
  readonly #task: Task;
  readonly #trainer: Trainer;
  readonly #source: TaskSource;
  /** The checkpoint that the trainer has. */
  #loaded: string | null = null;

  private constructor(task: Task, trainer: Trainer, source: TaskSource) {
    this.#task = task;
    this.#trainer = trainer;
    this.#source = source;
  }

  static async of(task: Task, source: TaskSource): Promise<Predictor> {
    const description = { topology: task.model, data: task.data, loss: task.loss };
    return new Predictor(task, await createTrainer(description, { backend: 'planned', seed: 0 }), source);
  }

  /** @returns one row of outputs for each example. */
  async predict(hash: string, examples: RawExamples): Promise<Float32Array[]> {
    if (this.#loaded !== hash) {
      const { weights } = await this.#source.model(this.#task.id, hash);
      this.#trainer.setWeights(weights);
      this.#loaded = hash;
    }
    const { xs, count } = trainerExamples(examples, this.#task.data);
    const flat = await this.#trainer.predict(xs, count);
    const width = flat.length / count;
    return Array.from({ length: count }, (_, row) => flat.slice(row * width, (row + 1) * width));
  }

  dispose(): void {
    this.#trainer.dispose();
  }
}

/** The class with the largest output. */
function classOf(output: ArrayLike<number>): number {
  let best = 0;
  for (let at = 1; at < output.length; at++) if ((output[at] as number) > (output[best] as number)) best = at;
  return best;
}

/** The share of rows whose largest output is at the right class. */
export function accuracyOf(outputs: readonly ArrayLike<number>[], labels: ArrayLike<number>): number {
  return outputs.filter((output, row) => classOf(output) === labels[row]).length / outputs.length;
}
