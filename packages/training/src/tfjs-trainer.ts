import {
  CoppiceError,
  type Layout,
  layoutSize,
  type Measured,
  type Metrics,
  pictureNumbers,
  shapeSize,
} from '@coppice/protocol';
import { firstWorkingBackend, isLost, switchTo, useBackend, whenLossIsKnown } from './backends.ts';
import { type Batch, gatherBatch } from './batch-tensors.ts';
import { type BatchShape, checkDataset, checkInputs, copyInputs, rowSize } from './batches.ts';
import { Slices } from './event-loop.ts';
import { type LossSettings, lossSettings } from './example-loss.ts';
import { featuresOf } from './features-of.ts';
import { drawFirstWeights } from './first-weights.ts';
import { addWeighted, fullGradient, largestBatch } from './full-gradient.ts';
import { everyLayer } from './layer-tree.ts';
import { batchLoss, type Forward, forwardOf, withCleanGradient } from './loss.ts';
import { LossMeter } from './loss-meter.ts';
import { MetricsSum, metricsOf, predictionRows } from './metrics.ts';
import { type BuiltModel, buildModel } from './model.ts';
import { effectiveObjective } from './objective.ts';
import { ObjectiveTensors, type PlacedVariable } from './objective-tensors.ts';
import { disposeOptimizer, optimizers } from './optimizers.ts';
import type { Pace } from './pace.ts';
import { RandomLayers } from './random-layers.ts';
import { dropTape } from './tape.ts';
import * as tf from './tf.ts';
import type {
  Dataset,
  Inputs,
  LocalTraining,
  ModelDescription,
  Predicted,
  TfjsBackend,
  Trainer,
  TrainingResult,
  TrainOptions,
} from './trainer.ts';
import { checkFinite, checkNotEmpty, type Steps, stepsPerEpoch, takeSteps } from './training-loop.ts';

type Shape = readonly (number | null)[];

/** The most examples in one forward pass, and the most outputs of one layer in it. */
const CHUNK_EXAMPLES = 1000;
const CHUNK_NUMBERS = 4_000_000;

/**
 * Creates a trainer over tfjs with weights drawn from the seed: the same on every machine.
 *
 * @param options.note The reason for this backend; see `Trainer.note`.
 * @param options.backend Left out: the first of webgl, wasm, cpu that works here.
 * @param options.pace Left out: full use of the device, without reports.
 * @throws CoppiceError `model-invalid`, `backend-unavailable`
 */
export async function createTfjsTrainer(
  description: ModelDescription,
  options: { backend?: TfjsBackend; seed: number; pace?: Pace; note?: string },
): Promise<Trainer> {
  const backend = options.backend ?? (await firstWorkingBackend());
  await useBackend(backend);
  switchTo(backend); // another trainer may have been made while this one waited
  const built = await buildModel(description, options.seed);
  return new TfjsTrainer(backend, built, description, options.pace ?? null, options.note);
}

class TfjsTrainer implements Trainer {
  readonly backend: TfjsBackend;
  readonly layout: Layout;
  declare readonly note?: string;
  readonly #built: BuiltModel;
  readonly #description: ModelDescription;
  readonly #loss: LossSettings;
  readonly #shape: BatchShape;
  readonly #forward: Forward;
  /** Maps a batch to the model's features; null where it has none. */
  readonly #features: ((batch: tf.Tensor) => tf.Tensor) | null;
  readonly #trainable: readonly PlacedVariable[];
  readonly #still: readonly tf.Variable[];
  readonly #random: RandomLayers;
  readonly #chunk: number;
  readonly #gradientBatch: number;
  readonly #pace: Pace | null;
  /** True once there are weights: set, or drawn on first use. */
  #weighted = false;
  #disposed = false;

  constructor(
    backend: TfjsBackend,
    built: BuiltModel,
    description: ModelDescription,
    pace: Pace | null,
    note?: string,
  ) {
    this.#pace = pace;
    if (note !== undefined) this.note = note;
    this.backend = backend;
    this.layout = built.layout;
    this.#built = built;
    const { loss, topology, data } = description;
    this.#description = description;
    this.#loss = lossSettings(description);
    const shades = pictureNumbers(data);
    this.#shape = {
      inputShape: built.inputShape,
      outputs: built.outputs,
      loss,
      shades,
      lookup: built.lookup,
    };
    this.#forward = forwardOf(built.model, loss);
    this.#features = featuresOf(built.model, topology);
    const starts = startsOf(built.layout);
    const placed = built.variables.map((variable, i) => ({ variable, place: starts[i] as number }));
    this.#trainable = placed.filter((_, i) => built.layout[i]?.trainable);
    this.#still = built.variables.filter((_, i) => !built.layout[i]?.trainable);
    this.#random = new RandomLayers(built.model);
    const widest = Math.max(1, ...everyLayer(built.model).map((layer) => outputSize(layer)));
    this.#chunk = Math.max(1, Math.min(CHUNK_EXAMPLES, Math.floor(CHUNK_NUMBERS / widest)));
    this.#gradientBatch = largestBatch(Math.max(widest, rowSize(this.#shape)));
  }

  async getWeights(): Promise<Float32Array> {
    await this.#drawn();
    this.#begin();
    const reads = Promise.all(this.#built.variables.map((variable) => variable.data<'float32'>()));
    const parts = await reads.catch((thrown: unknown) => this.#explain(thrown));
    this.#checkDevice();
    const weights = new Float32Array(layoutSize(this.layout));
    let at = 0;
    for (const part of parts) {
      weights.set(part, at);
      at += part.length;
    }
    return weights;
  }

  setWeights(weights: Float32Array): void {
    this.#begin();
    const size = layoutSize(this.layout);
    if (weights.length !== size) {
      throw new RangeError(`This model has ${size} weights, but ${weights.length} were given`);
    }
    let at = 0;
    for (const variable of this.#built.variables) {
      // A copy: backends may keep the array that they are given.
      const part = tf.tensor(weights.slice(at, at + variable.size), variable.shape);
      variable.assign(part);
      part.dispose();
      at += variable.size;
    }
    // As tfjs does when it loads weights: what is measured is the model that others load.
    this.#constrain();
    this.#weighted = true;
  }

  /** Applies the constraints of the weights, as Keras does after every step; tfjs's own training leaves them out. */
  #constrain(): void {
    for (const [i, variable] of this.#built.variables.entries()) {
      const constraint = this.#built.constraints[i] ?? null;
      if (constraint !== null) tf.tidy(() => variable.assign(constraint.apply(variable)));
    }
  }

  async train(data: Dataset, how: LocalTraining, options: TrainOptions = {}): Promise<TrainingResult> {
    const started = performance.now();
    checkDataset(data, this.#shape);
    checkNotEmpty(data);
    await this.#drawn();
    this.#begin();
    const objective = effectiveObjective(options.objective, layoutSize(this.layout));
    const optimizer = optimizers[how.optimizer](how.learningRate);
    const meter = new LossMeter();
    const tensors = objective && new ObjectiveTensors(objective, this.#trainable);
    try {
      const steps: Steps = {
        begin: (epoch) => {
          this.#random.seed(how.shuffleSeed, epoch);
          meter.reset();
        },
        step: (order, from, rows) => {
          switchTo(this.backend); // another trainer may have run while this one rested
          this.#step(data, order.subarray(from, from + rows), optimizer, tensors, meter);
        },
        loss: async () => {
          const loss = await meter.read();
          this.#checkDevice();
          return loss;
        },
      };
      const epoch = await takeSteps(data, how, steps, this.#pace, options);
      const weights = await this.getWeights();
      checkFinite(weights);
      const taken = how.epochs * stepsPerEpoch(data, how);
      const milliseconds = performance.now() - started;
      return { weights, ...epoch, loss: epoch.lossSum / epoch.examples, steps: taken, milliseconds };
    } catch (thrown) {
      dropTape();
      return await this.#explain(thrown);
    } finally {
      meter.dispose();
      tensors?.dispose();
      disposeOptimizer(optimizer);
      this.#random.forget();
    }
  }

  #step(
    data: Dataset,
    rows: Uint32Array,
    optimizer: tf.Optimizer,
    objective: ObjectiveTensors | null,
    meter: LossMeter,
  ): void {
    this.#random.forget();
    tf.tidy(() => {
      const { value, grads } = this.#gradients(this.#batch(data, rows));
      objective?.correct(grads);
      optimizer.applyGradients(grads);
      this.#constrain();
      meter.add(value, rows.length);
    });
  }

  #batch(data: Dataset, rows: Uint32Array): Batch {
    return gatherBatch(data, rows, this.#shape, this.#loss.classWeights);
  }

  #gradients(batch: Batch): { value: tf.Scalar; grads: tf.NamedTensorMap } {
    const variables = this.#trainable.map(({ variable }) => variable);
    return tf.variableGrads(() => this.#batchLoss(batch), variables);
  }

  #batchLoss(batch: Batch): tf.Scalar {
    const outputs = withCleanGradient(this.#forward(batch.xs, true));
    const loss = batchLoss(outputs, batch, this.#loss);
    return this.#built.model
      .calculateLosses()
      .reduce((sum: tf.Scalar, penalty) => tf.add(sum, penalty), loss);
  }

  async gradient(data: Dataset, { signal }: { signal?: AbortSignal } = {}): Promise<Float32Array> {
    checkDataset(data, this.#shape);
    checkNotEmpty(data);
    this.#begin();
    const order = Uint32Array.from({ length: data.count }, (_, i) => i);
    const statistics = this.#still.map((variable) => tf.clone(variable));
    this.#random.silence(true);
    try {
      return await fullGradient(
        { count: data.count, largest: this.#gradientBatch, size: layoutSize(this.layout) },
        (from, rows, sum) => this.#addGradient(data, order.subarray(from, from + rows), sum),
        this.#pace,
        signal,
      );
    } catch (thrown) {
      dropTape();
      return await this.#explain(thrown);
    } finally {
      this.#random.silence(false);
      this.#random.forget();
      // Batch normalization has moved them.
      for (const [i, variable] of this.#still.entries()) variable.assign(statistics[i] as tf.Tensor);
      tf.dispose(statistics);
    }
  }

  async #addGradient(data: Dataset, examples: Uint32Array, sum: Float64Array): Promise<void> {
    switchTo(this.backend);
    this.#random.forget();
    const gradients = tf.tidy(() => {
      return this.#gradients(this.#batch(data, examples)).grads;
    });
    try {
      for (const { variable, place } of this.#trainable) {
        const part = await (gradients[variable.name] as tf.Tensor).data<'float32'>();
        addWeighted(sum, place, part, examples.length);
      }
    } finally {
      tf.dispose(gradients);
    }
    this.#checkDevice();
  }

  async evaluate(data: Dataset): Promise<Metrics> {
    return metricsOf(await this.measure(data), this.#description);
  }

  async measure(data: Dataset): Promise<Measured> {
    checkDataset(data, this.#shape);
    const sum = new MetricsSum(this.#description, this.#shape);
    await this.#outputs(data.xs, data.count, (outputs, from) => sum.add(outputs, data.ys, from));
    return sum.result();
  }

  async predict(xs: Inputs, count: number): Promise<Float32Array> {
    checkInputs({ count, xs }, this.#shape);
    const { outputs: width } = this.#built;
    const rows = new Float32Array(count * width);
    await this.#outputs(xs, count, (outputs, from) => rows.set(outputs, from * width));
    return predictionRows(rows, this.#shape);
  }

  async predictWithFeatures(xs: Inputs, count: number): Promise<Predicted> {
    const outputs = await this.predict(xs, count);
    const forward = this.#features;
    if (forward === null) return { outputs, features: null };
    const parts: Float32Array[] = [];
    await this.#outputs(xs, count, (rows) => void parts.push(rows), forward);
    const features = new Float32Array(parts.reduce((size, part) => size + part.length, 0));
    let at = 0;
    for (const part of parts) {
      features.set(part, at);
      at += part.length;
    }
    return { outputs, features };
  }

  /** Runs a part of the model over `xs` in chunks; `take` gets each chunk's rows and its first example. */
  async #outputs(
    xs: Inputs,
    count: number,
    take: (outputs: Float32Array, from: number) => void,
    forward: (batch: tf.Tensor, training: boolean) => tf.Tensor = this.#forward,
  ): Promise<void> {
    await this.#drawn();
    this.#begin();
    const size = rowSize(this.#shape);
    const slices = new Slices();
    try {
      for (let from = 0; from < count; from += this.#chunk) {
        switchTo(this.backend);
        const rows = Math.min(this.#chunk, count - from);
        const part = new Float32Array(rows * size);
        copyInputs(xs, from * size, (from + rows) * size, part, 0, this.#shape.shades);
        const outputs = tf.tidy(() => forward(tf.tensor(part, [rows, ...this.#shape.inputShape]), false));
        this.#random.forget();
        try {
          take(await outputs.data<'float32'>(), from);
        } finally {
          outputs.dispose();
        }
        this.#checkDevice();
        await slices.rest();
      }
    } catch (thrown) {
      await this.#explain(thrown);
    }
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#built.model.dispose();
  }

  /** Draws the initial weights where there are none yet. */
  async #drawn(): Promise<void> {
    if (this.#weighted) return;
    this.#begin();
    await useBackend('cpu');
    switchTo('cpu');
    const { model, layout } = this.#built;
    this.setWeights(drawFirstWeights(model, layout));
  }

  #begin(): void {
    if (this.#disposed) throw new Error('This trainer was disposed of');
    this.#checkDevice();
    switchTo(this.backend);
  }

  /** Throws `backend-lost` where the loss of the device is the cause; otherwise the cause itself. */
  async #explain(thrown: unknown): Promise<never> {
    await whenLossIsKnown(this.backend);
    this.#checkDevice(thrown);
    throw thrown;
  }

  #checkDevice(cause?: unknown): void {
    if (!isLost(this.backend)) return;
    throw new CoppiceError(
      'backend-lost',
      'The graphics processor was taken away from this page, as happens after sleep or when it is overloaded. This training is lost; the next one starts anew.',
      { cause },
    );
  }
}

/** Offsets of the weights in the layout. */
function startsOf(layout: Layout): number[] {
  let at = 0;
  return layout.map(({ shape }) => {
    const start = at;
    at += shapeSize(shape);
    return start;
  });
}

/** The largest output of a layer for one example, as far as its shapes tell. */
function outputSize(layer: tf.layers.Layer): number {
  // Not `outputShape`: it throws for a layer that was applied to several shapes, as a nested model is.
  const shapes = layer.inboundNodes.flatMap(({ outputShapes }): Shape[] =>
    Array.isArray(outputShapes[0]) ? (outputShapes as Shape[]) : [outputShapes as Shape],
  );
  const sizes = shapes.map((shape) =>
    shape.slice(1).reduce<number>((size, dimension) => size * (dimension ?? 1), 1),
  );
  return Math.max(0, ...sizes);
}
