import type { TaskFields } from './task-request.ts';

const kernel = {
  class_name: 'VarianceScaling',
  config: { scale: 1, mode: 'fan_avg', distribution: 'normal', seed: null },
};
const dense = (name: string, units: number, activation: string, more: object = {}) => ({
  class_name: 'Dense',
  config: {
    name,
    units,
    activation,
    use_bias: true,
    kernel_initializer: kernel,
    bias_initializer: { class_name: 'Zeros', config: {} },
    trainable: true,
    ...more,
  },
});

/** A small model in tfjs's format: two dense layers over 8 × 8 pictures of three shapes. */
export const exampleTask: TaskFields = {
  id: 'shapes',
  titleEn: 'Shapes',
  titleZh: '形状',
  descriptionEn: 'Tells small pictures of circles, squares and triangles apart.',
  descriptionZh: '区分圆形、方形与三角形的小图片。',
  kind: 'image',
  width: '8',
  height: '8',
  channels: '1',
  range: '',
  classes: 'circle\nsquare\ntriangle',
  features: '',
  groups: '',
  target: '',
  targetKind: 'class',
  heldOut: '0.1',
  targetUnit: '',
  targetMean: '',
  targetScale: '',
  targetMin: '',
  targetMax: '',
  scaling: 'given',
  licence: '',
  model: JSON.stringify(
    {
      modelTopology: {
        class_name: 'Sequential',
        config: {
          name: 'shapes',
          layers: [
            dense('hidden', 16, 'relu', { batch_input_shape: [null, 64], dtype: 'float32' }),
            dense('shape', 3, 'softmax'),
          ],
        },
        keras_version: 'tfjs-layers 4.22.0',
        backend: 'tensor_flow.js',
      },
      format: 'layers-model',
      generatedBy: 'TensorFlow.js tfjs-layers v4.22.0',
      convertedBy: null,
    },
    null,
    2,
  ),
};
