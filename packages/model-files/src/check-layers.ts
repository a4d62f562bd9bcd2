import { fail, isObject, type Json, modelClasses, named } from './layers.ts';

/** The kinds of layers that tfjs-layers 4.22 reads from a description and that train here. */
const kinds = new Set([
  'Activation',
  'Add',
  'AlphaDropout',
  'Average',
  'AveragePooling1D',
  'AveragePooling2D',
  'AveragePooling3D',
  'BatchNormalization',
  'Bidirectional',
  'CategoryEncoding',
  'CenterCrop',
  'Concatenate',
  'Conv1D',
  'Conv2D',
  'Conv2DTranspose',
  'Conv3D',
  'Conv3DTranspose',
  'ConvLSTM2D',
  'ConvLSTM2DCell',
  'Cropping2D',
  'Dense',
  'DepthwiseConv2D',
  'Dot',
  'Dropout',
  'ELU',
  'Embedding',
  'Flatten',
  'Functional',
  'GRU',
  'GRUCell',
  'GaussianDropout',
  'GaussianNoise',
  'GlobalAveragePooling1D',
  'GlobalAveragePooling2D',
  'GlobalMaxPooling1D',
  'GlobalMaxPooling2D',
  'InputLayer',
  'LSTM',
  'LSTMCell',
  'LayerNormalization',
  'LeakyReLU',
  'Masking',
  'MaxPooling1D',
  'MaxPooling2D',
  'MaxPooling3D',
  'Maximum',
  'Minimum',
  'Model',
  'Multiply',
  'PReLU',
  'Permute',
  'RNN',
  // These two are refused in words of their own, where models are built.
  'RandomHeight',
  'RandomWidth',
  'ReLU',
  'RepeatVector',
  'Rescaling',
  'Reshape',
  'Resizing',
  'SeparableConv2D',
  'Sequential',
  'SimpleRNN',
  'SimpleRNNCell',
  'Softmax',
  'SpatialDropout1D',
  'StackedRNNCells',
  'ThresholdedReLU',
  'TimeDistributed',
  'UpSampling2D',
  'ZeroPadding2D',
]);

const pictures = 'changes pictures at random, which tfjs does not do. Leave it out';
/** Reasons for kinds that people often have, and what to do. */
const reasons: readonly (readonly [RegExp, string])[] = [
  [/^Lambda$/, 'holds Python code, which no browser runs. Use built-in layers in its place'],
  [
    /^Normalization$/,
    'scales its inputs by numbers that tfjs does not read. Leave it out, and give the columns of the task their mean and scale',
  ],
  [/^Random/, pictures],
  [/^(MixUp|CutMix|RandAugment|AugMix|AutoContrast|Equalization|Solarization|Posterization)$/, pictures],
  [/^ActivityRegularization$/, 'has a loss of its own, which tfjs does not add. Leave it out'],
  [/^Subtract$/, 'is of a kind that tfjs does not have. Use Add, and Rescaling with the scale −1 before it'],
  [
    /^(TextVectorization|StringLookup|IntegerLookup|Hashing|Discretization)$/,
    'prepares data by a table that tfjs does not read. Leave it out, and make columns of numbers of the data',
  ],
];

/** Settings with a meaning that tfjs would leave out without a word: kinds of layers, the setting, and what is refused. */
const settings: readonly {
  readonly of: RegExp;
  readonly key: string;
  readonly isRefused: (value: unknown) => boolean;
  readonly why: string;
}[] = [
  {
    of: /^GRU(Cell)?$/,
    key: 'resetAfter',
    isRefused: (value) => value === true,
    why: "resets its state after the product (reset_after, the default of Keras), which tfjs can't. Make it with reset_after=False",
  },
  {
    of: /Conv/,
    key: 'groups',
    isRefused: (value) => typeof value === 'number' && value !== 1,
    why: 'has groups, which tfjs leaves out of account. Set its groups to 1',
  },
  {
    of: /Conv[23]DTranspose$/,
    key: 'outputPadding',
    isRefused: isSet,
    why: 'has an output_padding, which tfjs leaves out of account. Leave it out',
  },
  {
    of: /Conv[23]DTranspose$/,
    key: 'dilationRate',
    isRefused: (value) => [value].flat().some((rate) => Number(rate) > 1),
    why: 'is dilated, which tfjs leaves out of account. Set its dilation_rate to 1',
  },
  {
    of: /^Conv1D$/,
    key: 'padding',
    isRefused: (value) => value === 'causal',
    why: 'pads causally, which tfjs does not. Set its padding to "same" or "valid"',
  },
  {
    of: /^Global/,
    key: 'keepdims',
    isRefused: (value) => value === true,
    why: 'keeps its dimensions (keepdims), which tfjs does not. Set it to false, and add a Reshape',
  },
  {
    of: /^ReLU$/,
    key: 'negativeSlope',
    isRefused: isSet,
    why: 'has a negative slope, which tfjs leaves out of account. Use a LeakyReLU',
  },
  {
    of: /^ReLU$/,
    key: 'threshold',
    isRefused: isSet,
    why: 'has a threshold, which tfjs leaves out of account. Use a ThresholdedReLU',
  },
  {
    of: /^Rescaling$/,
    key: 'scale',
    isRefused: Array.isArray,
    why: 'has a list of scales, where tfjs reads one number. Use one scale',
  },
  {
    of: /^Rescaling$/,
    key: 'offset',
    isRefused: Array.isArray,
    why: 'has a list of offsets, where tfjs reads one number. Use one offset',
  },
  {
    of: /^BatchNormalization$/,
    key: 'renorm',
    isRefused: (value) => value === true,
    why: 'has batch renormalization, which tfjs does not. Set renorm to false',
  },
  {
    of: /^LayerNormalization$/,
    key: 'rmsScaling',
    isRefused: (value) => value === true,
    why: 'scales by the root mean square (rms_scaling), which tfjs does not. Set it to false',
  },
  {
    of: /^Bidirectional$/,
    key: 'backwardLayer',
    isRefused: (value) => value !== null,
    why: 'has a backward layer of its own, which tfjs leaves out of account. Leave it out',
  },
  {
    of: /^Resizing$/,
    key: 'cropToAspectRatio',
    isRefused: (value) => value === true,
    why: 'crops to the aspect ratio, which tfjs does not. Set crop_to_aspect_ratio to false',
  },
  {
    of: /^/,
    key: 'activityRegularizer',
    isRefused: (value) => value !== null,
    why: 'has a regularizer of its outputs, which tfjs leaves out of account. Leave activity_regularizer out',
  },
];

function isSet(value: unknown): boolean {
  return value !== null && value !== 0;
}

/**
 * Checks the layers of a model, at any depth, before it becomes a task: tfjs has each kind, and leaves none of their
 * settings out without a word.
 *
 * @param topology As `readTopology` returns it.
 * @throws CoppiceError `model-invalid`, naming the layer and the reason.
 */
export function checkLayers(topology: unknown): void {
  for (const layer of layersIn(topology)) {
    checkLayer(layer);
    checkCalls(layer);
  }
}

/** The model itself and every layer in it: nested models, wrapped layers, cells. */
export function layersIn(part: unknown): Json[] {
  if (!isObject(part)) return [];
  const config = part['config'];
  if (Array.isArray(config)) return [part, ...config.flatMap(layersIn)];
  if (!isObject(config)) return [part];
  const inner = ['layers', 'layer', 'cell', 'cells', 'backward_layer'].flatMap((key) => config[key] ?? []);
  return [part, ...inner.flatMap(layersIn)];
}

function checkLayer(layer: Json): void {
  const kind = layer['class_name'];
  if (typeof kind !== 'string') return;
  if (!kinds.has(kind)) {
    const [, reason] = reasons.find(([pattern]) => pattern.test(kind)) ?? [];
    fail(layer, reason ?? "is of a kind that tfjs doesn't know. Use the built-in layers only");
  }
  const config = isObject(layer['config']) ? layer['config'] : {};
  for (const [key, value] of Object.entries(config)) {
    const name = key.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
    const refused = settings.find((one) => one.key === name && one.of.test(kind) && one.isRefused(value));
    if (refused !== undefined) fail(layer, refused.why);
    if (name.endsWith('Constraint')) checkConstraint(layer, value);
  }
}

/**
 * Refuses constraints whose sets are not convex: the mean of weights that keep one does not keep it, and the model that is
 * measured would be another than the one that tfjs loads, which applies constraints to what it loads.
 */
function checkConstraint(layer: Json, value: unknown): void {
  if (value === null) return;
  const written = isObject(value) ? (value['class_name'] ?? value['className']) : value;
  const kind = String(written).replaceAll('_', '').toLowerCase();
  if (kind === 'maxnorm' || kind === 'nonneg') return;
  fail(
    layer,
    `has the constraint ${String(written)}, which the mean of several devices' weights does not keep. Use MaxNorm or NonNeg, or none`,
  );
}

/** Layers that are another function in training. */
const random = /Dropout|GaussianNoise/;

/** Checks the layers that a functional model applies with `training` fixed, which tfjs leaves out of account. */
function checkCalls(model: Json): void {
  const layers = isObject(model['config']) ? model['config']['layers'] : null;
  if (!modelClasses.has(String(model['class_name'])) || !Array.isArray(layers)) return;
  for (const layer of layers.filter(isObject)) {
    const calls = Array.isArray(layer['inbound_nodes']) ? layer['inbound_nodes'].flat() : [];
    for (const call of calls) {
      const kwargs = Array.isArray(call) ? call[3] : null;
      const training = isObject(kwargs) ? (kwargs['training'] ?? null) : null;
      if (training === null) continue;
      const changing = layersIn(layer).find((one) => changes(one, training === true));
      if (changing === undefined) continue;
      const inside = changing === layer ? '' : ` on "${named(changing)}" inside of it`;
      fail(
        layer,
        training === true
          ? `is applied with training=True, which tfjs leaves out of account${inside}. Leave it out`
          : `is applied with training=False and yet trained, which tfjs does not keep apart${inside}. Set its trainable to False, and leave dropout out of it`,
      );
    }
  }
}

/** Whether a layer applied with `training` fixed differs from tfjs's, where it follows the model. */
function changes(layer: Json, training: boolean): boolean {
  const kind = String(layer['class_name']);
  if (random.test(kind)) return true;
  const frozen = isObject(layer['config']) && layer['config']['trainable'] === false;
  return kind === 'BatchNormalization' && (training || !frozen);
}
