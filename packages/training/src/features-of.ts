import { featureLayerOf, type Topology } from '@coppice/protocol';
import * as tf from './tf.ts';

/** The pass from a batch to a model's features, flat for each example; `null` where it has none. It holds no tensors of its own. */
export function featuresOf(
  model: tf.LayersModel,
  topology: Topology,
): ((batch: tf.Tensor) => tf.Tensor) | null {
  const name = featureLayerOf(topology);
  const layer = name === null ? undefined : model.layers.find((one) => one.name === name);
  const input = layer?.inboundNodes.length === 1 ? layer.input : null;
  if (input === null || Array.isArray(input)) return null;
  // The features of a model whose first layer makes its outputs are its inputs.
  const first = model.inputs[0];
  if (first !== undefined && input.name === first.name) return (batch) => flat(batch);
  const body = tf.model({ inputs: model.inputs, outputs: input });
  return (batch) => flat(body.apply(batch, { training: false }) as tf.Tensor);
}

function flat(rows: tf.Tensor): tf.Tensor {
  return tf.reshape(rows, [rows.shape[0] as number, -1]);
}
