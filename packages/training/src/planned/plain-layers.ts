import {
  among,
  ensure,
  type Fields,
  flag,
  isObject,
  type Kind,
  number,
  pair,
  positive,
  sizes,
} from './fields.ts';
import { sizeOf } from './layer.ts';

type Shape = readonly number[];

/** A layer as read from its config, in the form of `ChainLayer`. */
export interface PlainLayer {
  readonly config: Readonly<Record<string, unknown>>;
  readonly outputShape: Shape;
  /** In tfjs's order of creation. */
  readonly weights: readonly { readonly name: string; readonly shape: Shape; readonly learned: boolean }[];
}

type ReadLayer = (fields: Fields, inputShape: Shape) => PlainLayer;

const activation = among('linear', 'relu', 'sigmoid', 'tanh', 'softmax');
/** Initializers for weights of any shape, with any settings. */
const initializers = new Set([
  'GlorotNormal',
  'GlorotUniform',
  'HeNormal',
  'HeUniform',
  'LeCunNormal',
  'LeCunUniform',
  'RandomNormal',
  'RandomUniform',
  'TruncatedNormal',
  'Zeros',
  'Ones',
]);
/**
 * An initializer in the form that `seedTopology` leaves: a random one has a class and a config. Its kind matters only
 * when weights are drawn.
 */
const initializer: Kind<unknown> = (value) => {
  if (value === null || value === 'zeros' || value === 'ones') return value;
  return isObject(value) && isObject(value['config']) && initializers.has(String(value['class_name']))
    ? value
    : undefined;
};
const nothing = among(null);
const channelsLast = among('channels_last');

/**
 * Parsers of layers from the JSON of a topology. Defaults are tfjs's. Source: constructors of the layers in tfjs-layers
 * 4.22.
 */
export const plainLayers: Readonly<Record<string, ReadLayer>> = {
  Dense(fields, inputShape) {
    ensure(inputShape.length >= 1);
    const units = fields.take('units', positive);
    const { config, weights } = product(fields, [inputShape.at(-1) as number, units]);
    return { config, outputShape: [...inputShape.slice(0, -1), units], weights };
  },
  Conv2D(fields, inputShape) {
    const [, , channels] = picture(inputShape);
    const filters = fields.take('filters', positive);
    const kernelSize = fields.take('kernel_size', pair);
    const sliding = slides(fields, inputShape, kernelSize, [1, 1]);
    fields.take('groups', among(1), 1);
    const dilationRate = fields.take('dilation_rate', pair, [1, 1]);
    ensure(dilationRate.every((rate) => rate === 1));
    const { config, weights } = product(fields, [...kernelSize, channels, filters]);
    return {
      config: { ...config, ...sliding.config, kernelSize, dilationRate },
      outputShape: [...sliding.places, filters],
      weights,
    };
  },
  MaxPooling2D: readPooling,
  AveragePooling2D: readPooling,
  GlobalAveragePooling2D(fields, inputShape) {
    const [, , channels] = picture(inputShape);
    fields.take('data_format', channelsLast, 'channels_last');
    return { config: { dataFormat: 'channelsLast' }, outputShape: [channels], weights: [] };
  },
  Flatten(fields, inputShape) {
    ensure(inputShape.length >= 2);
    fields.take('data_format', channelsLast, 'channels_last');
    return { config: {}, outputShape: [sizeOf(inputShape)], weights: [] };
  },
  Reshape(fields, inputShape) {
    const targetShape = fields.take('target_shape', sizes);
    ensure(sizeOf(targetShape) === sizeOf(inputShape));
    return { config: {}, outputShape: targetShape, weights: [] };
  },
  Dropout(fields, inputShape) {
    const rate = fields.take('rate', number);
    ensure(rate >= 0 && rate <= 1);
    fields.take('noise_shape', nothing, null);
    // Each training has a stream of its own.
    fields.take<unknown>('seed', (seed) => (seed === null ? seed : number(seed)), null);
    return { config: { rate }, outputShape: inputShape, weights: [] };
  },
  Activation(fields, inputShape) {
    return {
      config: { activation: fields.take('activation', activation) },
      outputShape: inputShape,
      weights: [],
    };
  },
  ReLU(fields, inputShape) {
    fields.take('max_value', nothing, null);
    return { config: {}, outputShape: inputShape, weights: [] };
  },
  Softmax(fields, inputShape) {
    // Not the last axis but the first after the batch is what tfjs takes where nothing is said.
    return { config: { axis: fields.take('axis', number, 1) }, outputShape: inputShape, weights: [] };
  },
  BatchNormalization(fields, inputShape) {
    ensure(inputShape.length >= 1);
    const axis = fields.take('axis', number, -1);
    ensure(axis === -1 || axis === inputShape.length);
    const momentum = fields.take('momentum', number, 0.99);
    const epsilon = fields.take('epsilon', number, 1e-3);
    const scale = fields.take('scale', flag, true);
    const center = fields.take('center', flag, true);
    const names = [
      ...(scale ? ['gamma'] : []),
      ...(center ? ['beta'] : []),
      'moving_mean',
      'moving_variance',
    ];
    for (const name of ['gamma', 'beta', 'moving_mean', 'moving_variance']) {
      fields.take(`${name}_initializer`, initializer, null);
    }
    plainWeights(fields, ['gamma', 'beta']);
    return {
      config: { axis, momentum, epsilon, scale, center },
      outputShape: inputShape,
      weights: names.map((name) => ({
        name,
        shape: [inputShape.at(-1) as number],
        learned: !name.startsWith('moving'),
      })),
    };
  },
};

function picture(shape: Shape): readonly [number, number, number] {
  ensure(shape.length === 3);
  return shape as unknown as readonly [number, number, number];
}

/** Parses the common part of a dense layer and a convolution; the last size of the kernel is that of the bias. */
function product(fields: Fields, kernel: Shape) {
  const useBias = fields.take('use_bias', flag, true);
  fields.take('kernel_initializer', initializer, null);
  fields.take('bias_initializer', initializer, null);
  plainWeights(fields, ['kernel', 'bias']);
  fields.take('activity_regularizer', nothing, null);
  const bias = { name: 'bias', shape: [kernel.at(-1) as number], learned: true };
  return {
    config: { activation: fields.take('activation', activation, 'linear'), useBias },
    weights: [{ name: 'kernel', shape: kernel, learned: true }, ...(useBias ? [bias] : [])],
  };
}

/** Checks that weights have neither constraints nor regularizers. */
function plainWeights(fields: Fields, names: readonly string[]): void {
  for (const name of names) {
    fields.take(`${name}_constraint`, nothing, null);
    fields.take(`${name}_regularizer`, nothing, null);
  }
}

function readPooling(fields: Fields, inputShape: Shape): PlainLayer {
  const [, , channels] = picture(inputShape);
  const poolSize = fields.take('pool_size', pair, [2, 2]);
  const { config, places } = slides(fields, inputShape, poolSize, poolSize);
  return { config: { ...config, poolSize }, outputShape: [...places, channels], weights: [] };
}

/** Parses strides and padding, and computes the number of a window's places in each direction. */
function slides(fields: Fields, inputShape: Shape, size: Shape, usual: Shape) {
  const written: Kind<Shape> = (value) => (value === null ? usual : pair(value));
  const strides = fields.take('strides', written, usual);
  const padding = fields.take('padding', among('same', 'valid'), 'valid');
  fields.take('data_format', channelsLast, 'channels_last');
  const places = strides.map((stride, i) => {
    const length = inputShape[i] as number;
    const reach = padding === 'same' ? 1 : (size[i] as number);
    return Math.floor((length - reach) / stride) + 1;
  });
  ensure(places.every((count) => count >= 1));
  return { config: { strides, padding, dataFormat: 'channelsLast' }, places };
}
