import { everyLayer } from '../layer-tree.ts';
import type { BuiltModel } from '../model.ts';
import { softmaxHead } from '../model.ts';
import type * as tf from '../tf.ts';
import type { ModelDescription } from '../trainer.ts';
import { type LayerInfo, NotPlanned, notPlanned, type PlanLayer } from './layer.ts';
import { planActivation } from './layers/activation.ts';
import { planBatchNorm } from './layers/batch-norm.ts';
import { planConv2D } from './layers/conv2d.ts';
import { planDense } from './layers/dense.ts';
import { planDropout } from './layers/dropout.ts';
import { planAveragePooling, planGlobalAverage, planMaxPooling } from './layers/pooling.ts';
import { planReshape } from './layers/reshape.ts';
import type { Weight } from './plan.ts';

/** A model as a list of layers that plans can be made of. It holds nothing of tfjs. */
export interface PlannedModel {
  readonly layers: readonly { readonly plan: PlanLayer; readonly learns: boolean }[];
  readonly weights: readonly Weight[];
  /** The most numbers that one layer puts out for one example. */
  readonly widest: number;
}

/** Streams of seeds for the layers that draw, in the order of `RandomLayers`. */
export type SeedStreams = () => () => number;

const planners: Readonly<Record<string, (layer: LayerInfo) => PlanLayer>> = {
  Dense: planDense,
  Activation: planActivation,
  ReLU: planActivation,
  Softmax: planActivation,
  Flatten: planReshape,
  Reshape: planReshape,
  Dropout: planDropout,
  Conv2D: planConv2D,
  MaxPooling2D: planMaxPooling,
  AveragePooling2D: planAveragePooling,
  GlobalAveragePooling2D: planGlobalAverage,
  BatchNormalization: planBatchNorm,
};

/**
 * Reads a built model: its layers must form a chain, and each must be one that there are kernels for.
 *
 * @param base byte offset of the first weight in the arena; the others follow in layout order.
 * @throws NotPlanned saying which layer it is that tfjs must take.
 */
export function compile(
  built: BuiltModel,
  description: ModelDescription,
  base: number,
  newStream: SeedStreams,
): PlannedModel {
  const { model, layout } = built;
  const weights: Weight[] = [];
  const byId = new Map<number, Weight>();
  const links = chain(model);
  const penalties = regularizers(links);
  let at = base;
  for (const [i, variable] of model.weights.entries()) {
    const size = built.variables[i]?.size as number;
    const { l1, l2 } = penalties.get(variable.id) ?? { l1: 0, l2: 0 };
    const weight: Weight = { at, size, trainable: layout[i]?.trainable as boolean, l1, l2 };
    weights.push(weight);
    byId.set(variable.id, weight);
    at += size * 4;
  }
  const head = description.loss === 'categoricalCrossentropy' ? softmaxHead(model) : null;
  const infos = links.map((layer): LayerInfo => {
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
          byId.get(weight.id) as Weight,
        ]),
      ),
      nextSeed: layer.getClassName() === 'Dropout' ? newStream() : null,
      isHead: layer === head,
    };
  });
  const layers = infos.map((layer) => {
    checkConfig(layer);
    const planner = planners[layer.className];
    if (planner === undefined) notPlanned(layer, 'no kernels for this kind of layer');
    const learns = [...layer.weights.values()].some(({ trainable }) => trainable);
    return { plan: planner(layer), learns };
  });
  const widest = Math.max(1, ...infos.map(({ outputShape }) => outputShape.reduce((a, b) => a * b, 1)));
  return { layers, weights, widest };
}

/** The layers from input to output, where each takes what one other gives and gives it to one other. */
function chain(model: tf.LayersModel): tf.layers.Layer[] {
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

/** Settings that any layer may have, and that no kernel takes into account. */
function checkConfig(layer: LayerInfo): void {
  for (const [key, value] of Object.entries(layer.config)) {
    if (value === null || value === undefined) continue;
    if (key.endsWith('Constraint')) notPlanned(layer, 'a constraint of its weights');
    if (key === 'activityRegularizer') notPlanned(layer, 'a regularizer of its outputs');
    if (key === 'dataFormat' && value === 'channelsFirst') notPlanned(layer, 'channels first');
    if (key === 'dtype' && value !== 'float32') notPlanned(layer, `numbers of type ${String(value)}`);
  }
}

/** The penalties of weights by the ids of their variables, as layers' configs say them. */
function regularizers(layers: readonly tf.layers.Layer[]): Map<number, { l1: number; l2: number }> {
  const found = new Map<number, { l1: number; l2: number }>();
  for (const layer of layers) {
    for (const [key, value] of Object.entries(layer.getConfig())) {
      if (
        !key.endsWith('Regularizer') ||
        key === 'activityRegularizer' ||
        value === null ||
        value === undefined
      )
        continue;
      const { className, config } = value as { className?: string; config?: Record<string, unknown> };
      const name = key.slice(0, -'Regularizer'.length);
      const weight = layer.weights.find(({ originalName }) => originalName.split('/').at(-1) === name);
      // A bias that there is none of has nothing to penalise.
      if (weight === undefined) continue;
      if (className !== 'L1L2') {
        notPlanned({ name: layer.name, className: layer.getClassName() }, 'a regularizer of its own kind');
      }
      found.set(weight.id, { l1: Number(config?.['l1'] ?? 0), l2: Number(config?.['l2'] ?? 0) });
    }
  }
  return found;
}
