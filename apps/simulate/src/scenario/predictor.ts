import { type RawExamples, trainerExamples } from '@coppice/datasets';
import type { TaskSource } from '@coppice/participant';
import type { Task } from '@coppice/protocol';
import { createTrainer, type Trainer } from '@coppice/training';

/** What a model says of one example. */
export interface Answer {
  readonly output: Float32Array;
  /** The model's features of a picture; null for tables. */
  readonly features: Float32Array | null;
}

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

  /** @returns one answer for each example. */
  async predict(hash: string, examples: RawExamples): Promise<Answer[]> {
    if (this.#loaded !== hash) {
      const { weights } = await this.#source.model(this.#task.id, hash);
      this.#trainer.setWeights(weights);
      this.#loaded = hash;
    }
    const { xs, count } = trainerExamples(examples, this.#task.data);
    const { outputs, features } = await this.#trainer.predictWithFeatures(xs, count);
    const pictures = this.#task.data.kind === 'image' ? features : null;
    return Array.from({ length: count }, (_, row) => ({
      output: rowOf(outputs, row, count),
      features: pictures === null ? null : rowOf(pictures, row, count),
    }));
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

/** The share of outputs whose largest number is at the right class. */
export function accuracyOf(answers: readonly Pick<Answer, 'output'>[], labels: ArrayLike<number>): number {
  return answers.filter(({ output }, row) => classOf(output) === labels[row]).length / answers.length;
}

/** One row of a matrix of `rows` rows. */
export function rowOf(flat: Float32Array, row: number, rows: number): Float32Array {
  const width = flat.length / rows;
  return flat.slice(row * width, (row + 1) * width);
}
