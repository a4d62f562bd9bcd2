import { invalid } from '@coppice/model-files';
import { CoppiceError, type Layout, layoutSize } from '@coppice/protocol';
import { checkOrthogonal, Orthogonal } from './initializers.ts';
import { limitWeights } from './size-limit.ts';
import * as tf from './tf.ts';

/** An initializer, as tfjs's layers call it. */
interface Initializer {
  apply(shape: readonly number[], dtype?: string): tf.Tensor;
}

/** The arguments with which tfjs would have drawn a weight's initial numbers. */
interface Drawing {
  readonly initializer: Initializer;
  readonly shape: readonly number[];
  readonly dtype: string;
}

/** The method of layers, cells, wrapped layers and nested models that makes weights. */
interface Maker {
  addWeight(
    name: string,
    shape: readonly (number | null)[],
    dtype: string | null | undefined,
    initializer: Initializer,
    ...rest: unknown[]
  ): object;
}

const maker = tf.layers.Layer.prototype as unknown as Maker;
const { addWeight } = maker;
const zeros = tf.initializers.zeros() as unknown as Initializer;
/** Deferred drawings by the layer's variable. */
const drawings = new WeakMap<object, Drawing>();
let building = false;

maker.addWeight = function (this: unknown, name, shape, dtype, initializer, ...rest) {
  if (!building) return addWeight.call(this as Maker, name, shape, dtype, initializer, ...rest);
  limitWeights(shape);
  const variable = addWeight.call(this as Maker, name, shape, dtype, zeros, ...rest);
  drawings.set(variable, { initializer, shape: shape as readonly number[], dtype: dtype ?? 'float32' });
  return variable;
};

/**
 * Builds with all weights zero and leaves their initializers to `drawFirstWeights`. Nearly all built models are then
 * given weights, and some initializers take much longer than the rest of a model. Synchronous.
 */
export function buildWithZeros<T>(build: () => T): T {
  building = true;
  try {
    return build();
  } finally {
    building = false;
  }
}

/**
 * Draws the initial weights of a model that was built by `buildWithZeros`. Plain JavaScript must be tfjs's current
 * backend, so that they are the same on every device.
 *
 * @returns flat, in layout order.
 * @throws CoppiceError `model-invalid`, naming the weight, where they cannot be drawn, or not in bounded work.
 */
export function drawFirstWeights(model: tf.LayersModel, layout: Layout): Float32Array {
  const all = drawingsOf(model);
  checkOrthogonal(all);
  return flat(
    all.map((drawing) => () => draw(drawing)),
    layout,
  );
}

/**
 * Draws weights to try a model with, in place of its real ones: its initial weights, but for orthogonal ones, which are
 * replaced by others of the same size that are fast to draw. Also checks that the initial weights can be drawn.
 *
 * @returns flat, in layout order.
 * @throws CoppiceError `model-invalid`, as `drawFirstWeights` does.
 */
export function drawTrialWeights(model: tf.LayersModel, layout: Layout): Float32Array {
  const all = drawingsOf(model);
  checkOrthogonal(all);
  return flat(
    all.map((drawing) => () => draw(cheap(drawing))),
    layout,
  );
}

function flat(parts: readonly (() => Float32Array)[], layout: Layout): Float32Array {
  const weights = new Float32Array(layoutSize(layout));
  let at = 0;
  for (const part of parts) {
    const numbers = part();
    weights.set(numbers, at);
    at += numbers.length;
  }
  return weights;
}

function cheap(drawing: Drawing & { name: string }): Drawing & { name: string } {
  const { initializer } = drawing;
  if (!(initializer instanceof Orthogonal)) return drawing;
  return { ...drawing, initializer: { apply: (shape) => initializer.standIn(shape) } };
}

function drawingsOf(model: tf.LayersModel): (Drawing & { name: string })[] {
  return model.weights.map((variable) => {
    const drawing = drawings.get(variable);
    if (drawing === undefined) throw new Error(`${variable.name} was built with its first numbers`);
    return { name: variable.originalName, ...drawing };
  });
}

function draw({ name, initializer, shape, dtype }: Drawing & { name: string }): Float32Array {
  try {
    // tfjs looks for tensors in what is returned from a tidy, number by number.
    const tensor = tf.tidy(() => initializer.apply(shape, dtype));
    const numbers = tensor.dataSync<'float32'>();
    tensor.dispose();
    return numbers;
  } catch (thrown) {
    if (thrown instanceof CoppiceError) throw thrown;
    const why = (thrown instanceof Error ? thrown.message : String(thrown)).replace(/[.\s]+$/, '');
    throw invalid(
      `the first numbers of its weight ${name} can't be drawn (${why}). Use another initializer`,
      thrown,
    );
  }
}
