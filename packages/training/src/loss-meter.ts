import * as tf from './tf.ts';
import type { LossSum } from './training-loop.ts';

/** A loss sum that stays on the device until it is read, since reading makes a GPU wait. */
export class LossMeter {
  #sum: tf.Scalar | null = null;
  #examples = 0;

  /** Adds a batch's mean. Call inside `tidy`. */
  add(mean: tf.Scalar, examples: number): void {
    const weighted = tf.mul(mean, examples);
    const sum = tf.keep(this.#sum ? tf.add(this.#sum, weighted) : weighted) as tf.Scalar;
    this.#sum?.dispose();
    this.#sum = sum;
    this.#examples += examples;
  }

  /** Reads the sum so far; 0 before the first batch. */
  async read(): Promise<LossSum> {
    const [sum] = this.#sum ? await this.#sum.data() : [0];
    return { lossSum: sum as number, examples: this.#examples };
  }

  reset(): void {
    this.dispose();
    this.#examples = 0;
  }

  dispose(): void {
    this.#sum?.dispose();
    this.#sum = null;
  }
}
