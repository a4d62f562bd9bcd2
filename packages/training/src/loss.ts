import type { Loss } from '@coppice/protocol';
import type { Batch } from './batch-tensors.ts';
import type { LossSettings } from './example-loss.ts';
import { lossHead } from './model.ts';
import * as tf from './tf.ts';

/**
 * Maps a batch to the loss's input: logits for a classification (the input of the last softmax or sigmoid: stable, and
 * one operation less), values for a regression. Shape [batch, outputs].
 */
export type Forward = (batch: tf.Tensor, training: boolean) => tf.Tensor2D;

/** Builds the forward pass of a model to logits or values. It holds no tensors of its own. */
export function forwardOf(model: tf.LayersModel, loss: Loss): Forward {
  const head = lossHead(model, loss);
  if (!head) return (batch, training) => model.apply(batch, { training }) as tf.Tensor2D;

  const { models, layer } = head;
  const bodies = models.map((one, i) => bodyBefore(one, models[i + 1] ?? layer));
  const body: Forward = (batch, training) =>
    bodies.reduce<tf.Tensor>((x, part) => part(x, training), batch) as tf.Tensor2D;
  if (layer.getClassName() !== 'Dense') return body;
  const [kernel, bias] = layer.weights;
  if (!kernel) throw new Error('A dense layer without a kernel');
  return (batch, training) => {
    const product = tf.matMul(body(batch, training), kernel.read() as tf.Tensor2D);
    return (bias ? tf.add(product, bias.read()) : product) as tf.Tensor2D;
  };
}

/** The model without its last layer. */
function bodyBefore(model: tf.LayersModel, head: tf.layers.Layer): Forward {
  const layers = model.layers.filter((layer) => layer.getClassName() !== 'InputLayer');
  const makesMasks = layers.some((layer) => ['Masking', 'Embedding'].includes(layer.getClassName()));
  if (model instanceof tf.Sequential && !makesMasks) {
    // A plain chain is called layer by layer, without the bookkeeping of a graph.
    const chain = layers.slice(0, -1);
    return (batch, training) =>
      chain.reduce<tf.Tensor>((x, layer) => only(layer.call(x, { training })), batch) as tf.Tensor2D;
  }
  // Not `input`: a model has a node of its own before it is applied.
  const node = head.inboundNodes[model.outputs[0]?.nodeIndex ?? 0];
  const body = tf.model({
    inputs: model.inputs,
    outputs: node?.inputTensors[0] as tf.SymbolicTensor,
  });
  return (batch, training) => body.apply(batch, { training }) as tf.Tensor2D;
}

/** The only output of a layer; a nested model returns it in a list. */
function only(outputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
  return Array.isArray(outputs) ? (outputs[0] as tf.Tensor) : outputs;
}

/**
 * The mean loss of a batch: the sum of the examples' losses, each times the weight of its class where there are any, over
 * the number of examples.
 */
export function batchLoss(
  outputs: tf.Tensor2D,
  { ys, weights }: Pick<Batch, 'ys' | 'weights'>,
  { loss, huberDelta }: LossSettings,
): tf.Scalar {
  switch (loss) {
    case 'categoricalCrossentropy':
      return softmaxCrossEntropy(outputs, ys, weights);
    case 'binaryCrossentropy':
      return sigmoidCrossEntropy(outputs, ys, weights);
    case 'huber':
      return huber(outputs, ys, huberDelta);
    case 'meanSquaredError':
      return meanSquaredError(outputs, ys);
  }
}

/**
 * Mean cross-entropy of softmax(logits) against one-hot labels, with its gradient
 * (softmax(z) − y) / n written out.
 */
function softmaxCrossEntropy(
  logits: tf.Tensor2D,
  labels: tf.Tensor2D,
  weights: tf.Tensor2D | null,
): tf.Scalar {
  const weighted = (rows: tf.Tensor) => (weights === null ? rows : tf.mul(rows, weights));
  const op = tf.customGrad((z, save) => {
    const logProbabilities = tf.logSoftmax(z as tf.Tensor2D);
    (save as tf.GradSaveFunc)([logProbabilities]);
    const count = logits.shape[0];
    return {
      value: tf.mul(tf.sum(weighted(tf.mul(labels, logProbabilities))), -1 / count),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const difference = weighted(tf.sub(tf.exp(saved[0] as tf.Tensor), labels));
        return tf.mul(difference, tf.mul(dy, 1 / count));
      },
    };
  });
  return op(logits) as tf.Scalar;
}

/**
 * Mean binary cross-entropy of sigmoid(z) against labels of 0 and 1: max(z, 0) − z·y + log(1 + e^−|z|), which overflows
 * nowhere, with its gradient (sigmoid(z) − y) / n written out.
 */
function sigmoidCrossEntropy(
  logits: tf.Tensor2D,
  labels: tf.Tensor2D,
  weights: tf.Tensor2D | null,
): tf.Scalar {
  const weighted = (rows: tf.Tensor) => (weights === null ? rows : tf.mul(rows, weights));
  const op = tf.customGrad((z, save) => {
    (save as tf.GradSaveFunc)([z as tf.Tensor]);
    const count = logits.shape[0];
    const linear = tf.sub(tf.relu(z as tf.Tensor), tf.mul(z as tf.Tensor, labels));
    const losses = tf.add(linear, tf.log1p(tf.exp(tf.neg(tf.abs(z as tf.Tensor)))));
    return {
      value: tf.mul(tf.sum(weighted(losses)), 1 / count),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const difference = weighted(tf.sub(tf.sigmoid(saved[0] as tf.Tensor), labels));
        return tf.mul(difference, tf.mul(dy, 1 / count));
      },
    };
  });
  return op(logits) as tf.Scalar;
}

/**
 * Returns outputs unchanged, and cleans the gradient that flows back through them. WebGL keeps 2 × 2 numbers in a
 * texel. With an odd number of rows or columns the spare lanes hold whatever a shader left, such as exp() of it, up to
 * 1e36, and the next matrix product would sum it. `where` runs unpacked, and packing its result anew fills the spare
 * lanes with zeros; from there on they stay zero.
 */
export function withCleanGradient(outputs: tf.Tensor2D): tf.Tensor2D {
  if (tf.getBackend() !== 'webgl') return outputs;
  const op = tf.customGrad((z) => ({
    value: tf.clone(z as tf.Tensor2D),
    gradFunc: (dy: tf.Tensor) => tf.where(tf.onesLike(dy).cast('bool'), dy, tf.zerosLike(dy)),
  }));
  return op(outputs) as tf.Tensor2D;
}

/** Mean over all examples and outputs of (prediction − target)². */
function meanSquaredError(predictions: tf.Tensor2D, targets: tf.Tensor2D): tf.Scalar {
  return tf.mean(tf.squaredDifference(predictions, targets));
}

/**
 * Mean over all examples and outputs of ½e² where |e| ≤ δ, else δ·|e| − ½δ²: with m = min(|e|, δ), m·(|e| − ½m) in both.
 * Its gradient, e held between −δ and δ over their number, is written out.
 */
function huber(predictions: tf.Tensor2D, targets: tf.Tensor2D, delta: number): tf.Scalar {
  const op = tf.customGrad((values, save) => {
    const errors = tf.sub(values as tf.Tensor, targets);
    (save as tf.GradSaveFunc)([errors]);
    const sizes = tf.abs(errors);
    const within = tf.minimum(sizes, delta);
    return {
      value: tf.mean(tf.mul(within, tf.sub(sizes, tf.mul(within, 0.5)))),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) =>
        tf.mul(tf.clipByValue(saved[0] as tf.Tensor, -delta, delta), tf.mul(dy, 1 / predictions.size)),
    };
  });
  return op(predictions) as tf.Scalar;
}
