import { invalid } from './invalid.ts';
import { fail, isObject, type Json, modelClasses, named } from './layers.ts';

/*
 * Keras 3 describes models in another way than tfjs reads, which is that of Keras 2. Source: `get_config` and
 * `serialize_keras_object` of Keras 3.15, and `deserialize` of tfjs-layers 4.22.
 */

/** Activations of Keras 3 by their names in tfjs. `leaky_relu` has a layer of its own there. */
const activations: Readonly<Record<string, string>> = {
  elu: 'elu',
  gelu: 'gelu',
  leaky_relu: 'leaky_relu',
  linear: 'linear',
  log_softmax: 'log_softmax',
  mish: 'mish',
  relu: 'relu',
  relu6: 'relu6',
  selu: 'selu',
  sigmoid: 'sigmoid',
  silu: 'swish',
  softmax: 'softmax',
  softplus: 'softplus',
  softsign: 'softsign',
  swish: 'swish',
  tanh: 'tanh',
};
/** The slope of the activation `leaky_relu` below 0. */
const LEAKY_SLOPE = 0.2;

/** Names of initializers that differ in tfjs. */
const initializers: Readonly<Record<string, string>> = {
  IdentityInitializer: 'Identity',
  LecunNormal: 'LeCunNormal',
  LecunUniform: 'LeCunUniform',
  OrthogonalInitializer: 'Orthogonal',
};

/** True for a description that Keras 3 wrote, by marks that no other writer leaves. */
export function isKeras3(part: unknown): boolean {
  if (Array.isArray(part)) return part.some(isKeras3);
  if (!isObject(part)) return false;
  if (part['class_name'] === 'DTypePolicy' || part['class_name'] === '__keras_tensor__') return true;
  if (part['class_name'] === 'InputLayer' && isObject(part['config']) && 'batch_shape' in part['config']) {
    return true;
  }
  return Object.values(part).some(isKeras3);
}

/**
 * Translates a model of Keras 3, with all models and layers inside of it.
 *
 * @throws CoppiceError `model-invalid`, naming the layer.
 */
export function fromKeras3(model: Json): Json {
  const config = isObject(model['config']) ? model['config'] : {};
  const layers = Array.isArray(config['layers']) ? (config['layers'] as unknown[]) : null;
  if (layers === null) return { class_name: model['class_name'], config: model['config'] };
  const read = layers.map((layer) => {
    if (!isObject(layer)) throw invalid('one of its layers is no object');
    return translateLayer(layer);
  });
  return model['class_name'] === 'Sequential' ? sequential(model, config, read) : functional(config, read);
}

function sequential(model: Json, config: Json, layers: readonly Json[]): Json {
  const shape = buildShape(model, config);
  const [first] = layers;
  const inner = isObject(first?.['config']) ? first['config'] : null;
  const bare = inner !== null && first?.['class_name'] !== 'InputLayer' && !isModel(first as Json);
  if (bare && inner['batch_input_shape'] === undefined && shape !== null) inner['batch_input_shape'] = shape;
  return {
    class_name: 'Sequential',
    config: {
      ...kept(config, ['name', 'trainable']),
      layers: layers.flatMap((layer) => {
        const leaky = withoutLeaky(layer);
        return leaky === null ? [layer] : [layer, leaky];
      }),
    },
  };
}

/** The input shape with which Keras built a model that has no input layer. */
function buildShape(model: Json, config: Json): unknown[] | null {
  const built = isObject(model['build_config']) ? model['build_config']['input_shape'] : null;
  for (const shape of [config['build_input_shape'], built]) {
    if (Array.isArray(shape) && shape.every((size) => size === null || typeof size === 'number'))
      return shape;
  }
  return null;
}

function functional(config: Json, layers: readonly Json[]): Json {
  const models = new Set(layers.filter(isModel).map(named));
  const leaky = new Map<string, Json>();
  for (const layer of layers) {
    const activation = withoutLeaky(layer);
    if (activation !== null) leaky.set(named(layer), activation);
  }
  /** The place of a tensor in tfjs, which gives a model a node of its own before it is applied. */
  const place = (history: unknown, of: string): unknown[] => {
    const [name, node, tensor] = Array.isArray(history) ? (history as unknown[]) : [];
    if (typeof name !== 'string' || typeof node !== 'number') {
      throw invalid(`${of} takes an input that names no layer`);
    }
    const activation = leaky.get(name);
    return [activation === undefined ? name : named(activation), node + (models.has(name) ? 1 : 0), tensor];
  };
  const connected = layers.flatMap((layer) => {
    const nodes = Array.isArray(layer['inbound_nodes']) ? (layer['inbound_nodes'] as unknown[]) : [];
    const written = nodes.map((node) => inboundNode(layer, node, place));
    const name = named(layer);
    const all = [{ ...layer, name, inbound_nodes: written }];
    const activation = leaky.get(name);
    if (activation === undefined) return all;
    const applied = nodes.map((_, node) => [[name, node, 0, {}]]);
    return [...all, { ...activation, name: named(activation), inbound_nodes: applied }];
  });
  const ends = (value: unknown, what: string): unknown[][] =>
    endsOf(value).map((end) => place(end, `its list of ${what}`));
  return {
    class_name: 'Functional',
    config: {
      ...kept(config, ['name', 'trainable']),
      layers: connected,
      input_layers: ends(config['input_layers'], 'inputs'),
      output_layers: ends(config['output_layers'], 'outputs'),
    },
  };
}

/** One end alone, a list of them, or an object of them by name. */
function endsOf(value: unknown): unknown[] {
  if (isObject(value)) return Object.values(value).flatMap(endsOf);
  if (!Array.isArray(value)) return [];
  return typeof value[0] === 'string' ? [value] : (value as unknown[]).flatMap(endsOf);
}

function inboundNode(
  layer: Json,
  node: unknown,
  place: (history: unknown, of: string) => unknown[],
): unknown[] {
  // That of Keras 2.
  if (!isObject(node)) return Array.isArray(node) ? (node as unknown[]) : [];
  const tensors: unknown[] = [];
  const read = (value: unknown): void => {
    if (Array.isArray(value)) for (const item of value) read(item);
    else if (isTensor(value)) tensors.push(value['config']['keras_history']);
    else if (value !== null) fail(layer, 'is applied to something other than outputs of layers');
  };
  read(node['args']);
  const settings = Object.entries(isObject(node['kwargs']) ? node['kwargs'] : {}).filter(
    ([, value]) => value !== null,
  );
  for (const [key, value] of settings) {
    if (key !== 'training') fail(layer, `is applied with an argument, "${key}", that tfjs does not take`);
    if (typeof value !== 'boolean') fail(layer, 'is applied with "training" that is neither true nor false');
  }
  return tensors.map((history) => [
    ...place(history, `its layer "${named(layer)}"`),
    Object.fromEntries(settings),
  ]);
}

function isTensor(value: unknown): value is { config: Json } {
  return isObject(value) && value['class_name'] === '__keras_tensor__' && isObject(value['config']);
}

function translateLayer(layer: Json): Json {
  const own = layer['registered_name'];
  const module = String(layer['module'] ?? '');
  if (/^keras\.(src\.)?ops\b/.test(module)) {
    fail(
      layer,
      'is an operation on tensors. Use a layer in its place: Add, Multiply, Concatenate, Rescaling',
    );
  }
  if (typeof own === 'string' && own.includes('>')) {
    fail(layer, 'is a layer of your own, which is Python code. Use the built-in layers only');
  }
  if (isModel(layer)) return { ...fromKeras3(layer), ...kept(layer, ['name', 'inbound_nodes']) };
  const config: Json = {};
  for (const [key, value] of Object.entries(isObject(layer['config']) ? layer['config'] : {})) {
    if (key === 'batch_shape') config['batch_input_shape'] = value;
    else if (key === 'dtype') config[key] = dtype(layer, value);
    else if (key.endsWith('_initializer')) config[key] = initializer(value);
    else if (key === 'activation' || key.endsWith('_activation')) config[key] = activation(layer, value);
    else if (key === 'layer' || key === 'backward_layer') {
      if (isObject(value)) config[key] = wrapped(layer, value);
    } else if (isObject(value) && typeof value['class_name'] === 'string') {
      // Regularizers and constraints.
      config[key] = { class_name: value['class_name'], config: value['config'] ?? {} };
    } else if (!unread.has(key)) config[key] = value;
  }
  const className = String(layer['class_name']);
  if ('negative_slope' in config && className === 'LeakyReLU') {
    config['alpha'] = config['negative_slope'];
    delete config['negative_slope'];
  }
  if (className === 'Bidirectional' && isMirror(config['layer'], config['backward_layer'])) {
    delete config['backward_layer'];
  }
  const changed = otherClass(className, config);
  return { class_name: changed ?? className, config, ...kept(layer, ['name', 'inbound_nodes']) };
}

/** Settings of quantization and of random layers, which tfjs has not. */
const unread = new Set(['quantization_config', 'optional', 'ragged']);

/** Turns a layer into another kind of the same function, where tfjs has only that; changes `config`. */
function otherClass(className: string, config: Json): string | null {
  const slope = config['negative_slope'];
  if (className === 'ReLU' && typeof slope === 'number' && slope !== 0) {
    if (!isNothing(config['max_value']) || !isNothing(config['threshold'])) return null;
    for (const key of ['negative_slope', 'max_value', 'threshold']) delete config[key];
    config['alpha'] = slope;
    return 'LeakyReLU';
  }
  if (className === 'Activation' && config['activation'] === 'leaky_relu') {
    delete config['activation'];
    config['alpha'] = LEAKY_SLOPE;
    return 'LeakyReLU';
  }
  return null;
}

const isNothing = (value: unknown): boolean => value === undefined || value === null || value === 0;

/** Takes `leaky_relu` out of a layer. Returns the layer to apply after it, or null where it has another activation. */
function withoutLeaky(layer: Json): Json | null {
  const config = layer['config'];
  if (!isObject(config) || config['activation'] !== 'leaky_relu') return null;
  if (!feedForward.test(String(layer['class_name']))) {
    fail(layer, 'has the activation leaky_relu inside, which tfjs does not have there. Use tanh or relu');
  }
  config['activation'] = 'linear';
  return {
    class_name: 'LeakyReLU',
    config: { name: `${named(layer)}_leaky_relu`, trainable: true, alpha: LEAKY_SLOPE },
  };
}

/** Layers that apply their activation to their outputs, last. */
const feedForward = /^(Dense|Conv[123]D(Transpose)?|DepthwiseConv2D|SeparableConv2D)$/;

/** True for a backward layer that is the forward one turned round, which is what tfjs makes itself. */
function isMirror(forward: unknown, backward: unknown): boolean {
  const config = (layer: unknown) => (isObject(layer) && isObject(layer['config']) ? layer['config'] : null);
  const [one, other] = [config(forward), config(backward)];
  if (one === null || other === null || one['go_backwards'] === other['go_backwards']) return false;
  const rest = ({ name: _, go_backwards: __, ...settings }: Json) => JSON.stringify(settings);
  return rest(one) === rest(other);
}

/** The layer inside of a wrapper. */
function wrapped(wrapper: Json, layer: Json): Json {
  const inner = translateLayer(layer);
  if (isObject(inner['config']) && inner['config']['activation'] === 'leaky_relu') {
    fail(wrapper, 'has the activation leaky_relu inside, which tfjs does not have there. Use tanh or relu');
  }
  return inner;
}

function dtype(layer: Json, value: unknown): unknown {
  const written = isObject(value) && isObject(value['config']) ? value['config']['name'] : value;
  if (written === 'int64') return 'int32';
  if (written === null || written === 'float32' || written === 'int32' || written === 'bool') return written;
  return fail(
    layer,
    `computes with numbers of type ${String(written)}. Set the dtype policy of Keras to float32`,
  );
}

function initializer(value: unknown): unknown {
  if (!isObject(value) || typeof value['class_name'] !== 'string') return value;
  const config = isObject(value['config']) ? value['config'] : {};
  return {
    class_name: initializers[value['class_name']] ?? value['class_name'],
    // A generator of seeds stands for none, and so does null.
    config: Object.fromEntries(
      Object.entries(config).filter(([, setting]) => setting !== null && !isObject(setting)),
    ),
  };
}

function activation(layer: Json, value: unknown): unknown {
  if (value === null) return 'linear';
  const written = isObject(value) && value['class_name'] === 'function' ? value['config'] : value;
  if (typeof written === 'string' && Object.hasOwn(activations, written)) return activations[written];
  const what = isObject(written) ? String(written['class_name']) : String(written);
  const why =
    written === 'hard_sigmoid' ? 'which has another slope in tfjs. Use sigmoid' : 'which tfjs does not have';
  return fail(layer, `has the activation ${what}, ${why}`);
}

function isModel(layer: Json): boolean {
  return modelClasses.has(String(layer['class_name'])) && isObject(layer['config']);
}

function kept(from: Json, keys: readonly string[]): Json {
  return Object.fromEntries(keys.filter((key) => key in from).map((key) => [key, from[key]]));
}
