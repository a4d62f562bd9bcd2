import type { Topology } from '@coppice/protocol';

/** A layer in the JSON of a tfjs LayersModel. */
export interface Layer {
  readonly class_name: string;
  readonly config: Readonly<Record<string, unknown>>;
}

type Activation = 'relu' | 'softmax' | 'linear';

/** A dense layer under the name that its weights carry. Initial weights are Glorot uniform. */
export function dense(
  name: string,
  units: number,
  activation: Activation,
  inputShape?: readonly number[],
): Layer {
  return {
    class_name: 'Dense',
    config: {
      name,
      ...input(inputShape),
      units,
      activation,
      use_bias: true,
      kernel_initializer: { class_name: 'GlorotUniform', config: {} },
      bias_initializer: { class_name: 'Zeros', config: {} },
      trainable: true,
    },
  };
}

/** A convolution with a square kernel, padded to keep the size, with ReLU. */
export function conv2d(name: string, filters: number, kernel: number, inputShape?: readonly number[]): Layer {
  return {
    class_name: 'Conv2D',
    config: {
      name,
      ...input(inputShape),
      filters,
      kernel_size: [kernel, kernel],
      strides: [1, 1],
      padding: 'same',
      data_format: 'channels_last',
      activation: 'relu',
      use_bias: true,
      kernel_initializer: { class_name: 'GlorotUniform', config: {} },
      bias_initializer: { class_name: 'Zeros', config: {} },
      trainable: true,
    },
  };
}

/** A pooling layer that halves width and height. */
export function maxPool(name: string): Layer {
  return {
    class_name: 'MaxPooling2D',
    config: { name, pool_size: [2, 2], strides: [2, 2], padding: 'valid', data_format: 'channels_last' },
  };
}

export function flatten(name: string): Layer {
  return { class_name: 'Flatten', config: { name } };
}

export function sequential(name: string, layers: readonly Layer[]): Topology {
  return { class_name: 'Sequential', config: { name, layers } };
}

function input(shape: readonly number[] | undefined): Record<string, unknown> {
  return shape ? { batch_input_shape: [null, ...shape], dtype: 'float32' } : {};
}
