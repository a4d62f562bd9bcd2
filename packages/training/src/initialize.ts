import { madeName } from '@coppice/model-files';
import { integerBelow, seededRandom } from '@coppice/ports';
import type { Topology } from '@coppice/protocol';

type Json = { [key: string]: unknown };

/** Random initializers, each of which gets a seed of its own. Names as tfjs and Keras write them. */
const random = new Set([
  'glorotnormal',
  'glorotuniform',
  'henormal',
  'heuniform',
  'lecunnormal',
  'lecununiform',
  'orthogonal',
  'randomnormal',
  'randomuniform',
  'truncatednormal',
  'variancescaling',
]);

/** tfjs's default initializers, written out so that they get a seed. Source: `DEFAULT_*_INITIALIZER` in tfjs-layers 4.22. */
const defaults: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Dense: { kernel_initializer: 'GlorotNormal' },
  Conv1D: { kernel_initializer: 'GlorotNormal' },
  Conv2D: { kernel_initializer: 'GlorotNormal' },
  Conv2DTranspose: { kernel_initializer: 'GlorotNormal' },
  Conv3D: { kernel_initializer: 'GlorotNormal' },
  Conv3DTranspose: { kernel_initializer: 'GlorotNormal' },
  DepthwiseConv2D: { depthwise_initializer: 'GlorotNormal' },
  SeparableConv2D: { depthwise_initializer: 'GlorotUniform', pointwise_initializer: 'GlorotUniform' },
  Embedding: { embeddings_initializer: 'RandomUniform' },
  SimpleRNN: { kernel_initializer: 'GlorotNormal', recurrent_initializer: 'Orthogonal' },
  GRU: { kernel_initializer: 'GlorotNormal', recurrent_initializer: 'Orthogonal' },
  LSTM: { kernel_initializer: 'GlorotNormal', recurrent_initializer: 'Orthogonal' },
  SimpleRNNCell: { kernel_initializer: 'GlorotNormal', recurrent_initializer: 'Orthogonal' },
  GRUCell: { kernel_initializer: 'GlorotNormal', recurrent_initializer: 'Orthogonal' },
  LSTMCell: { kernel_initializer: 'GlorotNormal', recurrent_initializer: 'Orthogonal' },
  ConvLSTM2D: { kernel_initializer: 'GlorotNormal', recurrent_initializer: 'Orthogonal' },
  ConvLSTM2DCell: { kernel_initializer: 'GlorotNormal', recurrent_initializer: 'Orthogonal' },
};

/**
 * Completes a topology with everything that tfjs would otherwise choose per process: a seed for every random
 * initializer, drawn from `seed` and the initializer's place, and a name for every unnamed layer. The same topology and
 * seed give the same weights under the same names anywhere.
 */
export function seedTopology(topology: Topology, seed: number): Topology {
  // Through JSON, so that a layer that stands in two places of an object is two layers.
  const copy = JSON.parse(JSON.stringify(topology)) as Topology & Json;
  visit(copy, 'model', seed);
  return copy;
}

function visit(node: unknown, path: string, seed: number): void {
  if (Array.isArray(node)) {
    for (const [i, item] of node.entries()) visit(item, `${path}/${i}`, seed);
    return;
  }
  if (!isObject(node)) return;
  const className = node['class_name'];
  if (typeof className === 'string' && isObject(node['config'])) {
    completeLayer(className, node, node['config'], path);
  }
  for (const [key, value] of Object.entries(node)) {
    if (key.endsWith('_initializer')) node[key] = seededInitializer(value, `${path}/${key}`, seed);
    else visit(value, `${path}/${key}`, seed);
  }
}

function completeLayer(className: string, node: Json, config: Json, path: string): void {
  for (const [key, name] of Object.entries(defaults[className] ?? {})) {
    const camel = key.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
    config[key] ??= config[camel] ?? name;
  }
  // Initializers and regularizers have a class and a config too, but no name: only what stands in
  // a list of layers, and the model itself, is named.
  const isLayer = /\/(layers|config)\/\d+$/.test(path) || path === 'model';
  if (!isLayer || typeof config['name'] === 'string') return;
  const index = /\d+$/.exec(path)?.[0];
  const given = node['name'];
  const made = madeName(className, index === undefined ? null : Number(index));
  config['name'] = typeof given === 'string' ? given : made;
}

function seededInitializer(value: unknown, path: string, seed: number): unknown {
  const written = typeof value === 'string' ? { class_name: value, config: {} } : value;
  if (!isObject(written) || typeof written['class_name'] !== 'string') return value;
  if (!random.has(written['class_name'].replaceAll('_', '').toLowerCase())) return value;
  const config = isObject(written['config']) ? written['config'] : {};
  if (typeof config['seed'] === 'number') return value;
  // Never 0: tfjs takes a seed of 0 for none.
  const drawn = integerBelow(seededRandom(seed, 'initializer', path), 0x7fffffff) + 1;
  return { class_name: classNameOf(written['class_name']), config: { ...config, seed: drawn } };
}

/** `glorot_uniform` and `glorotUniform` are `GlorotUniform` once they carry a config. */
function classNameOf(name: string): string {
  return name.replace(/(^|_)(.)/g, (_, __, letter: string) => letter.toUpperCase());
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
