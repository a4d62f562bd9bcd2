import * as tf from './tf.ts';

/** A seed for one drawing; never 0, which tfjs takes for none. */
export type NextSeed = () => number;

/**
 * Replacements for tfjs's layers that take no seed. They are registered under the same names, so that topologies with
 * such layers are built with them. In prediction they change nothing.
 */
export abstract class NoiseLayer extends tf.layers.Layer {
  nextSeed: NextSeed | null = null;
  /** True to leave inputs unchanged in training, too. */
  silent = false;

  constructor(config: object) {
    super(config);
    this.supportsMasking = true;
  }

  override computeOutputShape(inputShape: tf.Shape): tf.Shape {
    return inputShape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: { training?: boolean }): tf.Tensor {
    return tf.tidy(() => {
      const input = Array.isArray(inputs) ? (inputs[0] as tf.Tensor) : inputs;
      if (!kwargs.training || this.silent || !this.isOn()) return input.clone();
      // Without a seed its numbers could not be reproduced.
      if (this.nextSeed === null) throw new Error(`${this.name} draws, and was given no seed`);
      return this.noised(input, this.nextSeed());
    });
  }

  protected abstract isOn(): boolean;
  protected abstract noised(input: tf.Tensor, seed: number): tf.Tensor;
}

const positive = (value: unknown): number => (typeof value === 'number' && value > 0 ? value : 0);

/** x + ε with ε ~ N(0, stddev²). */
class GaussianNoise extends NoiseLayer {
  static readonly className = 'GaussianNoise';
  readonly #stddev: number;

  constructor(config: { stddev?: number }) {
    super(config);
    this.#stddev = positive(config.stddev);
  }

  protected override isOn(): boolean {
    return this.#stddev > 0;
  }

  protected override noised(input: tf.Tensor, seed: number): tf.Tensor {
    return tf.add(input, tf.randomNormal(input.shape, 0, this.#stddev, 'float32', seed));
  }

  override getConfig() {
    return { ...super.getConfig(), stddev: this.#stddev };
  }
}

abstract class NoiseOfRate extends NoiseLayer {
  protected readonly rate: number;

  constructor(config: { rate?: number }) {
    super(config);
    this.rate = positive(config.rate);
  }

  protected override isOn(): boolean {
    return this.rate > 0 && this.rate < 1;
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), rate: this.rate };
  }
}

/** x · ε with ε ~ N(1, rate / (1 − rate)): Srivastava et al. 2014, section 10. */
class GaussianDropout extends NoiseOfRate {
  static readonly className = 'GaussianDropout';

  protected override noised(input: tf.Tensor, seed: number): tf.Tensor {
    const deviation = Math.sqrt(this.rate / (1 - this.rate));
    return tf.mul(input, tf.randomNormal(input.shape, 1, deviation, 'float32', seed));
  }
}

/** SELU's negative saturation, −λα: Klambauer et al. 2017, equation 14. */
const SATURATED = -1.0507009873554805 * 1.6732632423543772;

/**
 * Sets numbers to SELU's negative saturation α′, then scales and shifts all, so that the mean and variance of a
 * self-normalising network stay: a·(x·d + α′·(1 − d)) + b with d ~ Bernoulli(1 − rate). Klambauer et al. 2017, "New
 * Dropout Technique".
 */
class AlphaDropout extends NoiseOfRate {
  static readonly className = 'AlphaDropout';
  readonly #noiseShape: readonly number[] | null;

  constructor(config: { rate?: number; noiseShape?: number[] | null }) {
    super(config);
    this.#noiseShape = config.noiseShape ?? null;
  }

  protected override noised(input: tf.Tensor, seed: number): tf.Tensor {
    const keep = 1 - this.rate;
    const scale = (keep + SATURATED ** 2 * keep * this.rate) ** -0.5;
    const shift = -scale * SATURATED * this.rate;
    const uniform = tf.randomUniform([...(this.#noiseShape ?? input.shape)], 0, 1, 'float32', seed);
    const kept = tf.cast(tf.greaterEqual(uniform, this.rate), 'float32');
    const dropped = tf.add(tf.mul(input, kept), tf.mul(tf.sub(1, kept), SATURATED));
    return tf.add(tf.mul(dropped, scale), shift);
  }

  override getConfig() {
    return { ...super.getConfig(), noiseShape: this.#noiseShape as number[] | null };
  }
}

/** Replaces tfjs's layers with these. */
export function registerNoiseLayers(): void {
  tf.serialization.registerClass(GaussianNoise);
  tf.serialization.registerClass(GaussianDropout);
  tf.serialization.registerClass(AlphaDropout);
}
