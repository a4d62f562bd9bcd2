import * as tf from './tf.ts';

/** A mean over examples that stays on the device until it is read: reading makes a GPU wait. */
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

  /** The mean so far; 0 before the first batch. */
  async read(): Promise<number> {
    if (!this.#sum) return 0;
    const [sum] = await this.#sum.data();
    return (sum as number) / this.#examples;
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
