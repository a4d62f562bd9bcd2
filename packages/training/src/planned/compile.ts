import { featureLayerOf } from '@coppice/protocol';
import { endsInHead } from '../data-fit.ts';
import type { ModelDescription } from '../trainer.ts';
import type { Chain, ChainLayer } from './chain.ts';
import { type LayerInfo, notPlanned, type PlanLayer, sizeOf } from './layer.ts';
import { planActivation } from './layers/activation.ts';
import { planBatchNorm } from './layers/batch-norm.ts';
import { planConv2D } from './layers/conv2d.ts';
import { planDense } from './layers/dense.ts';
import { planDropout } from './layers/dropout.ts';
import { planAveragePooling, planGlobalAverage, planMaxPooling } from './layers/pooling.ts';
import { planReshape } from './layers/reshape.ts';
import type { Weight } from './plan.ts';

/** A model as a list of layers that plans can use. */
export interface PlannedModel {
  readonly layers: readonly { readonly plan: PlanLayer; readonly learns: boolean }[];
  readonly weights: readonly Weight[];
  /** The largest number of values that one layer returns for one example. */
  readonly widest: number;
  /** The layer whose input is the model's features, and the numbers of these for one example; null: it has none. */
  readonly features: { readonly layer: number; readonly size: number } | null;
}

/** Streams of seeds for the random layers, in the order of `RandomLayers`. */
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
 * Finds the planner for each layer of a chain.
 *
 * @param base byte offset of the first weight in the arena; the others follow in layout order.
 * @throws NotPlanned naming the layer that only tfjs supports.
 */
export function compile(
  chain: Chain,
  { loss, topology }: Pick<ModelDescription, 'loss' | 'topology'>,
  base: number,
  newStream: SeedStreams,
): PlannedModel {
  const penalties = regularizers(chain.layers);
  let at = base;
  const weights = chain.layout.map(({ shape, trainable }, place): Weight => {
    const size = sizeOf(shape);
    const penalty = penalties.get(place) ?? { l1: 0, l2: 0 };
    const weight = { at, size, place: (at - base) / 4, trainable, ...penalty };
    at += size * 4;
    return weight;
  });
  const last = chain.layers.at(-1);
  const layers = chain.layers.map((layer) => {
    const own = new Map([...layer.weights].map(([name, place]) => [name, weights[place] as Weight]));
    const info: LayerInfo = {
      ...layer,
      weights: own,
      nextSeed: layer.className === 'Dropout' ? newStream() : null,
      isHead: layer === last && endsInHead(loss, layer.className, layer.config),
    };
    checkConfig(info);
    const planner = planners[layer.className];
    if (planner === undefined) notPlanned(layer, 'no kernels for this kind of layer');
    return { plan: planner(info), learns: [...own.values()].some(({ trainable }) => trainable) };
  });
  const widest = Math.max(1, ...chain.layers.map(({ outputShape }) => sizeOf(outputShape)));
  const named = featureLayerOf(topology);
  const layer = chain.layers.findIndex(({ name }) => name === named);
  const features = layer === -1 ? null : { layer, size: sizeOf(chain.layers[layer]?.inputShape ?? []) };
  return { layers, weights, widest, features };
}

/** Refuses settings that any layer may have and no kernel supports. */
function checkConfig(layer: LayerInfo): void {
  for (const [key, value] of Object.entries(layer.config)) {
    if (value === null || value === undefined) continue;
    if (key.endsWith('Constraint')) notPlanned(layer, 'a constraint of its weights');
    if (key === 'activityRegularizer') notPlanned(layer, 'a regularizer of its outputs');
    if (key === 'dataFormat' && value === 'channelsFirst') notPlanned(layer, 'channels first');
    if (key === 'dtype' && value !== 'float32') notPlanned(layer, `numbers of type ${String(value)}`);
  }
}

/** Penalties of weights by index in the layout, from the layers' configs. */
function regularizers(layers: readonly ChainLayer[]): Map<number, { l1: number; l2: number }> {
  const found = new Map<number, { l1: number; l2: number }>();
  for (const layer of layers) {
    for (const [key, value] of Object.entries(layer.config)) {
      if (
        !key.endsWith('Regularizer') ||
        key === 'activityRegularizer' ||
        value === null ||
        value === undefined
      )
        continue;
      const { className, config } = value as { className?: string; config?: Record<string, unknown> };
      const place = layer.weights.get(key.slice(0, -'Regularizer'.length));
      // A bias that there is none of has nothing to penalise.
      if (place === undefined) continue;
      if (className !== 'L1L2') notPlanned(layer, 'a regularizer of its own kind');
      found.set(place, { l1: Number(config?.['l1'] ?? 0), l2: Number(config?.['l2'] ?? 0) });
    }
  }
  return found;
}
