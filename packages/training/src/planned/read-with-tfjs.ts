import { withBuiltModel } from '../built-model.ts';
import { everyLayer } from '../layer-tree.ts';
import type { BuiltModel } from '../model.ts';
import type * as tf from '../tf.ts';
import type { ModelDescription } from '../trainer.ts';
import type { Chain } from './chain.ts';
import { NotPlanned, notPlanned } from './layer.ts';

/**
 * Builds a model with tfjs, reads it, and disposes of it.
 *
 * @throws NotPlanned where its layers form no chain.
 * @throws CoppiceError `model-invalid`
 */
export function readWithTfjs(description: ModelDescription): Promise<Chain> {
  return withBuiltModel(description, readBuilt);
}

/** @throws NotPlanned */
function readBuilt({ model, layout, roles, inputShape, outputs }: BuiltModel): Chain {
  const places = new Map(model.weights.map((variable, place) => [variable.id, place]));
  const layers = links(model).map((layer) => {
    const node = layer.inboundNodes[0];
    return {
      name: layer.name,
      className: layer.getClassName(),
      config: layer.getConfig(),
      inputShape: exampleShape(layer, node?.inputShapes[0]),
      outputShape: exampleShape(layer, node?.outputShapes[0] ?? node?.outputShapes),
      weights: new Map(
        layer.weights.map((weight) => [
          weight.originalName.split('/').at(-1) as string,
          places.get(weight.id) as number,
        ]),
      ),
    };
  });
  return { layers, layout, roles, inputShape, outputs };
}

/** The layers from input to output, where each but the last feeds exactly one other. */
function links(model: tf.LayersModel): tf.layers.Layer[] {
  const layers: tf.layers.Layer[] = [];
  let layer = model.outputs[0]?.sourceLayer;
  while (layer !== undefined && layer.getClassName() !== 'InputLayer') {
    const node: (typeof layer.inboundNodes)[number] | undefined = layer.inboundNodes[0];
    if (layer.inboundNodes.length !== 1 || node?.inboundLayers.length !== 1) {
      throw new NotPlanned(
        `layer "${layer.name}" (${layer.getClassName()}): it takes several inputs, or stands in several places`,
      );
    }
    layers.unshift(layer);
    layer = node.inboundLayers[0];
  }
  const other =
    layers.find((one) => everyLayer(one).length > 1) ??
    model.layers.find((one) => one.getClassName() !== 'InputLayer' && !layers.includes(one));
  if (other !== undefined) {
    throw new NotPlanned(
      `layer "${other.name}" (${other.getClassName()}): the model is no plain chain of layers`,
    );
  }
  return layers;
}

function exampleShape(layer: tf.layers.Layer, shape: unknown): readonly number[] {
  const sizes =
    Array.isArray(shape) && Array.isArray(shape[0]) ? (shape[0] as unknown[]) : (shape as unknown[]);
  const example = sizes.slice(1);
  if (!example.every((size) => typeof size === 'number')) {
    notPlanned({ name: layer.name, className: layer.getClassName() }, 'a shape that is not fixed');
  }
  return example as number[];
}
