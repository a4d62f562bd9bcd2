import type { Loss } from '@coppice/protocol';
import { softmaxHead } from './model.ts';
import * as tf from './tf.ts';

/**
 * Maps a batch to the loss's input: logits for a classification (the input of the last softmax: stable, and one
 * operation less), values for a regression. Shape [batch, outputs].
 */
export type Forward = (batch: tf.Tensor, training: boolean) => tf.Tensor2D;

/** Builds the forward pass of a model to logits or values. It holds no tensors of its own. */
export function forwardOf(model: tf.LayersModel, loss: Loss): Forward {
  const head = loss === 'categoricalCrossentropy' ? softmaxHead(model) : null;
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
 * Mean cross-entropy of softmax(logits) against one-hot labels, with its gradient
 * (softmax(z) − y) / n written out.
 */
export function softmaxCrossEntropy(logits: tf.Tensor2D, labels: tf.Tensor2D): tf.Scalar {
  const op = tf.customGrad((z, save) => {
    const logProbabilities = tf.logSoftmax(z as tf.Tensor2D);
    (save as tf.GradSaveFunc)([logProbabilities]);
    const count = logits.shape[0];
    return {
      value: tf.mul(tf.sum(tf.mul(labels, logProbabilities)), -1 / count),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const difference = tf.sub(tf.exp(saved[0] as tf.Tensor), labels);
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
export function meanSquaredError(predictions: tf.Tensor2D, targets: tf.Tensor2D): tf.Scalar {
  return tf.mean(tf.squaredDifference(predictions, targets));
}
