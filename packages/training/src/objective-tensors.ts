import type { Objective } from '@coppice/protocol';
import * as tf from './tf.ts';

/** A trained weight, with its offset in the layout. */
export interface PlacedVariable {
  readonly variable: tf.Variable;
  readonly place: number;
}

/** An objective on the device, to correct tfjs's gradients. */
export class ObjectiveTensors {
  readonly #objective: Objective;
  readonly #weights: readonly PlacedVariable[];
  readonly #scale: readonly tf.Tensor[] | null;
  readonly #anchor: readonly tf.Tensor[] | null;
  readonly #offset: readonly tf.Tensor[] | null;

  constructor(objective: Objective, weights: readonly PlacedVariable[]) {
    const { scale, anchor, offset } = objective;
    // A copy of each part: backends may keep the array that they are given.
    const tensors = (vector: Float32Array | null) =>
      vector &&
      weights.map(({ variable: { size, shape }, place }) =>
        tf.tensor(vector.slice(place, place + size), shape),
      );
    this.#objective = objective;
    this.#weights = weights;
    this.#scale = tensors(scale instanceof Float32Array ? scale : null);
    this.#anchor = tensors(anchor);
    this.#offset = tensors(offset);
  }

  /** Corrects the gradients, by the names of their variables, in place. Call inside `tidy`. */
  correct(gradients: tf.NamedTensorMap): void {
    const { scale, pull } = this.#objective;
    for (const [i, { variable }] of this.#weights.entries()) {
      let g = gradients[variable.name] as tf.Tensor;
      if (scale !== 1) g = tf.mul(g, this.#scale?.[i] ?? (scale as number));
      if (pull !== 0) {
        const anchor = this.#anchor?.[i];
        g = tf.add(g, tf.mul(anchor ? tf.sub(variable, anchor) : variable, pull));
      }
      if (this.#offset) g = tf.add(g, this.#offset[i] as tf.Tensor);
      gradients[variable.name] = g;
    }
  }

  dispose(): void {
    tf.dispose([...(this.#scale ?? []), ...(this.#anchor ?? []), ...(this.#offset ?? [])]);
  }
}
