import { fail, isObject, type Json, modelClasses, named } from './layers.ts';

/** The weights of one layer, by the names that tfjs gives them, in the order in which Keras and tfjs keep them. */
export interface LayerWeights {
  /** The layer, or the wrapped one inside of it, as it is described. */
  readonly layer: Json;
  /** Names without that of the layer: `kernel`, `bias`, … */
  readonly weights: readonly string[];
  /** Names as tfjs writes them into `model.json`, in the same order. */
  readonly names: readonly string[];
}

const convolution = (kernel: readonly string[]) => (config: Json) => [
  ...kernel,
  ...(config['use_bias'] === false ? [] : ['bias']),
];
const recurrent = convolution(['kernel', 'recurrent_kernel']);
const normalization = (config: Json) => [
  ...(config['scale'] === false ? [] : ['gamma']),
  ...(config['center'] === false ? [] : ['beta']),
];

/** Source: the `build` methods of tfjs-layers 4.22 and of Keras 3.15, which make their weights in the same order. */
const weights: Readonly<Record<string, (config: Json) => string[]>> = {
  BatchNormalization: (config) => [...normalization(config), 'moving_mean', 'moving_variance'],
  Conv1D: convolution(['kernel']),
  Conv2D: convolution(['kernel']),
  Conv2DTranspose: convolution(['kernel']),
  Conv3D: convolution(['kernel']),
  Conv3DTranspose: convolution(['kernel']),
  ConvLSTM2D: recurrent,
  Dense: convolution(['kernel']),
  DepthwiseConv2D: convolution(['depthwise_kernel']),
  Embedding: () => ['embeddings'],
  GRU: recurrent,
  LSTM: recurrent,
  LayerNormalization: normalization,
  PReLU: () => ['alpha'],
  SeparableConv2D: convolution(['depthwise_kernel', 'pointwise_kernel']),
  SimpleRNN: recurrent,
};

/** Whether a layer itself, not one inside of it, has weights. */
export function hasWeights(layer: Json): boolean {
  return namesOf(layer).length > 0;
}

function namesOf(layer: Json): string[] {
  const kind = String(layer['class_name']);
  if (!Object.hasOwn(weights, kind)) return [];
  return (weights[kind] as (config: Json) => string[])(isObject(layer['config']) ? layer['config'] : {});
}

/**
 * The layers of a model that have weights, at any depth, in the order of its layers.
 *
 * @param topology A topology in the form of Keras 2 whose layers are named.
 * @throws CoppiceError `model-invalid` for a layer whose weights are kept in a way of their own.
 */
export function weightsOf(topology: unknown): LayerWeights[] {
  return isObject(topology) ? of(topology) : [];
}

/** @param called the name in its weights, where it is not its own. */
function of(layer: Json, called = named(layer)): LayerWeights[] {
  const kind = String(layer['class_name']);
  const config = isObject(layer['config']) ? layer['config'] : {};
  if (modelClasses.has(kind)) {
    const layers = Array.isArray(layer['config']) ? layer['config'] : config['layers'];
    return Array.isArray(layers) ? layers.filter(isObject).flatMap((one) => of(one)) : [];
  }
  const inner = config['layer'];
  if (kind === 'TimeDistributed' && isObject(inner)) return of(inner, called);
  if (kind === 'Bidirectional' && isObject(inner)) {
    return ['forward_', 'backward_'].flatMap((direction) =>
      of(inner, `${called}/${direction}${named(inner)}`),
    );
  }
  if (kind === 'RNN')
    fail(layer, 'has cells of its own, whose weights are not read. Use LSTM, GRU or SimpleRNN');
  const own = namesOf(layer);
  if (own.length === 0) return [];
  return [{ layer, weights: own, names: own.map((name) => `${called}/${name}`) }];
}
