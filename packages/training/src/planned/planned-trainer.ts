import { type KernelInstance, kernelInstance, type Variant } from '@coppice/kernels';
import { type RandomSource, seededRandom } from '@coppice/ports';
import {
  CoppiceError,
  type Layout,
  layoutSize,
  type Measured,
  type Metrics,
  pictureNumbers,
} from '@coppice/protocol';
import { type BatchShape, checkDataset, checkInputs, labelSize, rowSize } from '../batches.ts';
import { Slices } from '../event-loop.ts';
import { lossSettings } from '../example-loss.ts';
import { addWeighted, batchSizes, fullGradient, largestBatch } from '../full-gradient.ts';
import { loaded } from '../loaded.ts';
import { MetricsSum, metricsOf, predictionRows } from '../metrics.ts';
import { effectiveObjective } from '../objective.ts';
import type { Pace } from '../pace.ts';
import type {
  Dataset,
  Inputs,
  LocalTraining,
  ModelDescription,
  Objective,
  Predicted,
  Trainer,
  TrainingResult,
  TrainOptions,
} from '../trainer.ts';
import { checkNotEmpty, diverged, type Steps, stepsPerEpoch, takeSteps } from '../training-loop.ts';
import type { Chain } from './chain.ts';
import { compile, type PlannedModel } from './compile.ts';
import { collecting, descentOf, termsOf } from './descent.ts';
import { InputRoom } from './input-room.ts';
import type { Mode } from './mode.ts';
import { type Descent, type Plan, PlanBuilder, type Settings, type Slot, type Weight } from './plan.ts';
import { planLoss } from './plan-loss.ts';
import { readPlain } from './read-plain.ts';

/** Byte offset of the first weight, above 0, which kernels read as no address. */
const BASE = 64;

/** Bits of +∞; finite magnitudes have smaller ones. */
const NOT_FINITE = 0x7f800000;

/** The most examples in one forward pass, and the most outputs of one layer in it, which are to fit in the cache. */
const CHUNK_EXAMPLES = 250;
const CHUNK_NUMBERS = 500_000;

/** A plan with the slots of its inputs and outputs. */
interface WholePlan {
  readonly plan: Plan;
  readonly rows: number;
  readonly input: Slot;
  readonly labels: Slot;
  readonly output: Slot;
  /** The model's features; null where it has none, and in plans that train. */
  readonly features: Slot | null;
  /** Loss of the last batch; only for plans that train. */
  batchLoss(rows: number): number;
}

/** A plan for gradients at fixed weights, with the slots that hold them. */
interface GradientPlan extends WholePlan {
  readonly gradients: readonly { readonly slot: Slot; readonly weight: Weight }[];
}

/**
 * Creates a trainer that runs a fixed list of kernel calls over one arena: a step allocates nothing and looks nothing
 * up. tfjs is loaded only to draw the initial weights, the same as tfjs's own, and to read models in an unusual form.
 *
 * @throws NotPlanned when a part of the model has no kernels.
 * @throws CoppiceError `model-invalid`
 */
export async function createPlannedTrainer(
  description: ModelDescription,
  options: { seed: number; pace?: Pace; variant?: Variant },
): Promise<Trainer> {
  const { seed, pace, variant } = options;
  const chain = readPlain(description) ?? (await readOtherwise(description));
  const streams: (RandomSource | null)[] = [];
  const model = compile(chain, description, BASE, () => {
    const stream = streams.push(null) - 1;
    // As `RandomLayers` draws them.
    return () => ((streams[stream] as RandomSource).uint32() >>> 1) + 1;
  });
  const instance = withMemory(() => kernelInstance(BASE + 4 * layoutSize(chain.layout), variant));
  return new PlannedTrainer(model, chain, description, {
    instance,
    streams,
    pace: pace ?? null,
    draw: async () => {
      const { describeModel } = await loaded(import('../describe-model.ts'));
      return (await describeModel(description, seed)).weights;
    },
  });
}

async function readOtherwise(description: ModelDescription): Promise<Chain> {
  const { readWithTfjs } = await loaded(import('./read-with-tfjs.ts'));
  return readWithTfjs(description);
}

class PlannedTrainer implements Trainer {
  readonly backend = 'planned';
  readonly layout: Layout;
  readonly #model: PlannedModel;
  readonly #description: ModelDescription;
  readonly #shape: BatchShape;
  readonly #instance: KernelInstance;
  readonly #streams: (RandomSource | null)[];
  readonly #pace: Pace | null;
  readonly #settings: Settings = { learningRate: 0, scale: 1, pull: 0, step: 0 };
  readonly #chunk: number;
  readonly #size: number;
  /** The last training plan, with the name of its descent. */
  #training: { readonly name: string; readonly whole: WholePlan } | null = null;
  #gradient: GradientPlan | null = null;
  #asking: WholePlan | null = null;
  /** Draws the initial weights; null once there are weights. */
  #draw: (() => Promise<Float32Array>) | null;
  #disposed = false;

  constructor(
    model: PlannedModel,
    { layout, inputShape, outputs }: Chain,
    description: ModelDescription,
    parts: {
      instance: KernelInstance;
      streams: (RandomSource | null)[];
      pace: Pace | null;
      draw: () => Promise<Float32Array>;
    },
  ) {
    this.#model = model;
    this.layout = layout;
    this.#description = description;
    const { loss, data } = description;
    this.#shape = { inputShape, outputs, loss, shades: pictureNumbers(data) };
    this.#instance = parts.instance;
    this.#streams = parts.streams;
    this.#pace = parts.pace;
    this.#draw = parts.draw;
    this.#size = layoutSize(layout);
    this.#chunk = Math.max(1, Math.min(CHUNK_EXAMPLES, Math.floor(CHUNK_NUMBERS / model.widest)));
  }

  async getWeights(): Promise<Float32Array> {
    await this.#begin();
    return this.#floats(BASE, this.#size).slice();
  }

  setWeights(weights: Float32Array): void {
    this.#checkInUse();
    if (weights.length !== this.#size) {
      throw new RangeError(`This model has ${this.#size} weights, but ${weights.length} were given`);
    }
    this.#floats(BASE, this.#size).set(weights);
    this.#draw = null;
  }

  async train(data: Dataset, how: LocalTraining, options: TrainOptions = {}): Promise<TrainingResult> {
    const started = performance.now();
    checkDataset(data, this.#shape);
    checkNotEmpty(data);
    await this.#begin();
    const objective = effectiveObjective(options.objective, this.#size);
    const whole = this.#trainingPlan(how.optimizer, objective, Math.min(how.batchSize, data.count));
    const settings = this.#settings;
    settings.learningRate = how.learningRate;
    settings.scale = typeof objective?.scale === 'number' ? objective.scale : 1;
    settings.pull = objective?.pull ?? 0;
    settings.step = 0;
    whole.plan.reset(objective);
    const inputs = this.#inputs(whole);
    const labels = this.#labels(whole);
    const width = labelSize(this.#shape);
    let total = 0;
    let examples = 0;
    const steps: Steps = {
      begin: (epoch) => {
        for (const layer of this.#streams.keys()) {
          this.#streams[layer] = seededRandom(how.shuffleSeed, epoch, 'layer', layer);
        }
        total = 0;
        examples = 0;
      },
      step: (order, from, rows) => {
        settings.step++;
        inputs.gather(data.xs, order, from, rows);
        for (let i = 0; i < rows; i++) {
          const at = (order[from + i] as number) * width;
          for (let j = 0; j < width; j++) labels[i * width + j] = data.ys[at + j] as number;
        }
        whole.plan.run(rows);
        total += whole.batchLoss(rows) * rows;
        examples += rows;
      },
      loss: () => ({ lossSum: total, examples }),
    };
    const epoch = await takeSteps(data, how, steps, this.#pace, options);
    const weights = await this.getWeights();
    if (this.#instance.kernels.largestBits(this.#size, BASE) >= NOT_FINITE) throw diverged();
    const taken = how.epochs * stepsPerEpoch(data, how);
    const milliseconds = performance.now() - started;
    return { weights, ...epoch, loss: epoch.lossSum / epoch.examples, steps: taken, milliseconds };
  }

  async gradient(data: Dataset, { signal }: { signal?: AbortSignal } = {}): Promise<Float32Array> {
    checkDataset(data, this.#shape);
    checkNotEmpty(data);
    await this.#begin();
    const { count } = data;
    const largest = largestBatch(Math.max(this.#model.widest, rowSize(this.#shape)));
    const [most = 0] = batchSizes(count, largest);
    const take = (from: number, rows: number, sum: Float64Array) => {
      // Looked up for each batch: another call may have let the arena grow while this one rested.
      const whole = this.#gradientPlan(most);
      this.#inputs(whole).fill(data.xs, from, rows);
      const width = labelSize(this.#shape);
      this.#labels(whole).set(data.ys.subarray(from * width, (from + rows) * width));
      whole.plan.run(rows);
      for (const { slot, weight } of whole.gradients) {
        addWeighted(sum, weight.place, this.#floats(whole.plan.at(slot), weight.size), rows);
      }
    };
    return fullGradient({ count, largest, size: this.#size }, take, this.#pace, signal);
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
    const { outputs: width } = this.#shape;
    const rows = new Float32Array(count * width);
    await this.#outputs(xs, count, (outputs, from) => rows.set(outputs, from * width));
    return predictionRows(rows, this.#shape);
  }

  async predictWithFeatures(xs: Inputs, count: number): Promise<Predicted> {
    checkInputs({ count, xs }, this.#shape);
    const { outputs: width } = this.#shape;
    const outputs = new Float32Array(count * width);
    const size = this.#model.features?.size ?? 0;
    const features = size === 0 ? null : new Float32Array(count * size);
    await this.#outputs(xs, count, (rows, from, seen) => {
      outputs.set(rows, from * width);
      if (seen !== null) features?.set(seen, from * size);
    });
    return { outputs: predictionRows(outputs, this.#shape), features };
  }

  async #outputs(
    xs: Inputs,
    count: number,
    take: (outputs: Float32Array, from: number, features: Float32Array | null) => void,
  ): Promise<void> {
    await this.#begin();
    const size = this.#model.features?.size ?? 0;
    const slices = new Slices();
    for (let from = 0; from < count; from += this.#chunk) {
      // Anew for each chunk: another call may have let the arena grow while this one rested.
      const whole = this.#askingPlan();
      const rows = Math.min(this.#chunk, count - from);
      this.#inputs(whole).fill(xs, from, rows);
      whole.plan.run(rows);
      const features =
        whole.features === null ? null : this.#floats(whole.plan.at(whole.features), rows * size);
      take(this.#floats(whole.plan.at(whole.output), rows * this.#shape.outputs), from, features);
      await slices.rest();
    }
  }

  dispose(): void {
    this.#disposed = true;
    this.#training = null;
    this.#gradient = null;
    this.#asking = null;
  }

  /** Draws the initial weights where there are none yet. */
  async #begin(): Promise<void> {
    this.#checkInUse();
    const draw = this.#draw;
    if (draw === null) return;
    const first = await draw();
    if (this.#draw === draw) this.setWeights(first);
  }

  #checkInUse(): void {
    if (this.#disposed) throw new Error('This trainer was disposed of');
  }

  #floats(at: number, n: number): Float32Array {
    return new Float32Array(this.#instance.buffer, at, n);
  }

  #inputs({ plan, rows, input }: WholePlan): InputRoom {
    return new InputRoom(this.#instance, plan.at(input), rows, rowSize(this.#shape), this.#shape.shades);
  }

  #labels({ plan, rows, labels }: WholePlan): Float32Array {
    return this.#floats(plan.at(labels), rows * labelSize(this.#shape));
  }

  #askingPlan(): WholePlan {
    this.#asking ??= this.#plan('ask', this.#chunk, null);
    return this.#asking;
  }

  #gradientPlan(rows: number): GradientPlan {
    if (this.#gradient === null || this.#gradient.rows < rows) {
      const descent = collecting();
      this.#gradient = { ...this.#plan('gradient', rows, descent), gradients: descent.gradients };
    }
    return this.#gradient;
  }

  #trainingPlan(optimizer: LocalTraining['optimizer'], objective: Objective | null, rows: number): WholePlan {
    const terms = termsOf(objective);
    const name = JSON.stringify({ optimizer, terms });
    if (this.#training?.name !== name || this.#training.whole.rows < rows) {
      this.#training = { name, whole: this.#plan('train', rows, descentOf(optimizer, terms)) };
    }
    return this.#training.whole;
  }

  #plan(mode: Mode, rows: number, descent: Descent | null): WholePlan {
    const { kernels } = this.#instance;
    const { layers, weights } = this.#model;
    const { outputs } = this.#shape;
    const plan = new PlanBuilder(this.#instance, this.#settings, rows, descent);
    const input = plan.kept(rowSize(this.#shape));
    const labels = plan.kept(labelSize(this.#shape));
    let penalties = 0;
    const penalised = mode === 'train' ? weights.filter(({ l1, l2 }) => l1 !== 0 || l2 !== 0) : [];
    if (penalised.length > 0) {
      plan.step([], () => () => {
        penalties = 0;
        for (const { size, l1, l2, at } of penalised) penalties += kernels.penalty(size, l1, l2, at);
      });
    }
    let slot = input;
    let features: Slot | null = null;
    const parts = layers.map((layer, i) => {
      if (i === this.#model.features?.layer) features = slot;
      const part = layer.plan(plan, slot, mode);
      slot = part.output;
      return part;
    });
    const output = slot;
    const base = BASE + Math.ceil((4 * this.#size) / 16) * 16;
    if (mode === 'ask') {
      // The last step that uses the outputs and the features: reading them.
      plan.step(features === null ? [output] : [output, features], () => () => {});
      const complete = withMemory(() => plan.complete(base));
      return { plan: complete, rows, input, labels, output, features, batchLoss: () => 0 };
    }
    const loss = planLoss(plan, lossSettings(this.#description), outputs, { output, labels });
    let back: Slot | null = loss.gradient;
    for (const [i, part] of [...parts.entries()].reverse()) {
      const wanted = layers.slice(0, i).some(({ learns }) => learns);
      if (back !== null) back = part.backward(back, wanted);
    }
    const complete = withMemory(() => plan.complete(base));
    const batchLoss = loss.meanOf(complete.at);
    return {
      plan: complete,
      rows,
      input,
      labels,
      output,
      features: null,
      batchLoss: (count) => batchLoss(count) + penalties,
    };
  }
}

/** @throws CoppiceError `backend-lost` where memory cannot be allocated; another backend may need less. */
function withMemory<T>(reserve: () => T): T {
  try {
    return reserve();
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown;
    throw new CoppiceError(
      'backend-lost',
      'This device has no memory left for the plan of this model. Another way to compute is tried.',
      { cause: thrown },
    );
  }
}
