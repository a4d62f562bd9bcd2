import type { GivenTensor } from '../given-tensor.ts';
import { isObject, type Json, modelClasses } from '../layers.ts';
import { hasWeights } from '../weight-names.ts';
import type { Hdf5, Numbers } from './hdf5.ts';
import { type Described, described, type ModelFile } from './model-file.ts';
import { orUnreadable, unreadable } from './unreadable.ts';

/**
 * Reads the content of a `.keras` archive, in which weights are named by the places of their layers. Source:
 * `saving_lib.py` of Keras 3.15, and of Keras 2.15 with its other name for the list of layers.
 *
 * @throws CoppiceError `model-invalid`
 */
export function readKeras(config: Uint8Array, weights: Hdf5): ModelFile {
  const model = orUnreadable(
    () => JSON.parse(new TextDecoder().decode(config)) as unknown,
    'its config.json is damaged or cut short',
  );
  const description = described(model);
  const list = weights.names('layers') === null ? '_layer_checkpoint_dependencies' : 'layers';
  const places = isObject(model) ? placesOf(model, '', list) : [];
  if (places.length !== description.after.length) {
    throw unreadable('its layers are saved in places that are not known. Save the model again with Keras 3');
  }
  return {
    topology: description.topology,
    format: list === 'layers' ? 'keras-3' : 'keras-2',
    weights: description.after.flatMap((layer, i) =>
      layer.names.map((name, k) => {
        const numbers = weights.numbers(`${places[i]}/vars/${k}`);
        if (numbers === null) throw missing(name);
        return tensor(name, numbers);
      }),
    ),
  };
}

/** Paths of the layers that have weights, in the order of `weightsOf`. */
function placesOf(layer: Json, path: string, list: string): string[] {
  const kind = String(layer['class_name']);
  const config = isObject(layer['config']) ? layer['config'] : {};
  if (modelClasses.has(kind)) {
    const used = new Map<string, number>();
    const layers = Array.isArray(config['layers']) ? config['layers'].filter(isObject) : [];
    return layers.flatMap((one) => {
      const name = snakeCase(String(one['class_name']));
      const times = used.get(name) ?? 0;
      used.set(name, times + 1);
      return placesOf(one, `${path}/${list}/${times === 0 ? name : `${name}_${times}`}`, list);
    });
  }
  const inner = config['layer'];
  if (kind === 'TimeDistributed' && isObject(inner)) return placesOf(inner, `${path}/layer`, list);
  if (kind === 'Bidirectional' && isObject(inner)) {
    return ['forward_layer', 'backward_layer'].flatMap((way) => placesOf(inner, `${path}/${way}`, list));
  }
  if (!hasWeights(layer)) return [];
  return [/^(LSTM|GRU|SimpleRNN|ConvLSTM2D)$/.test(kind) ? `${path}/cell` : path];
}

/** `to_snake_case` of Keras. */
function snakeCase(name: string): string {
  return name
    .replace(/\W+/g, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
}

/**
 * Reads an `.h5` file of Keras 2 or 3: the description is one of its attributes, and each layer of the outermost model
 * lists its weights, those of a model with the trained ones first. Source: `hdf5_format.py` of Keras 2 and
 * `legacy_h5_format.py` of Keras 3.
 *
 * @throws CoppiceError `model-invalid`
 */
export function readH5(file: Hdf5): ModelFile {
  const [text] = file.texts('', 'model_config') ?? [];
  if (text === undefined) {
    throw unreadable(
      file.names('layers') !== null || file.texts('', 'layer_names') !== null
        ? 'it holds weights alone. Save the whole model with model.save(), not save_weights()'
        : 'it is no model that Keras saved',
    );
  }
  const model = orUnreadable(() => JSON.parse(text) as unknown, 'its description is damaged or cut short');
  const description = described(model);
  const [version] = file.texts('', 'keras_version') ?? file.texts('model_weights', 'keras_version') ?? [];
  const format = version?.startsWith('3') === true ? 'keras-3' : 'keras-2';
  const found = (file.texts('model_weights', 'layer_names') ?? []).flatMap((layer) => {
    const group = `model_weights/${layer}`;
    return (file.texts(group, 'weight_names') ?? []).map((name) => ({ name, path: `${group}/${name}` }));
  });
  if (found.length === 0) return { topology: description.topology, format, weights: null };
  const wanted = inOrderOfH5(description);
  if (found.length !== wanted.length) {
    throw unreadable(`it has ${found.length} weights for ${wanted.length} of its layers`);
  }
  const weights = new Map<string, GivenTensor>();
  for (const [i, { name, path }] of found.entries()) {
    const want = wanted[i] as Wanted;
    const last = name.replace(/:\d+$/, '').split('/').at(-1);
    if (last !== want.weight && !(last === 'kernel' && want.weight === 'depthwise_kernel')) {
      throw unreadable(`its weight ${name} stands where ${want.name} is expected`);
    }
    const numbers = file.numbers(path);
    if (numbers === null) throw missing(name);
    weights.set(want.name, tensor(want.name, numbers));
  }
  return {
    topology: description.topology,
    format,
    weights: description.after.flatMap(({ names }) => names.map((name) => weights.get(name) as GivenTensor)),
  };
}

interface Wanted {
  readonly name: string;
  /** Its last part. */
  readonly weight: string;
}

/** The weights of a model in the order in which an `.h5` file lists them. */
function inOrderOfH5({ topology, after }: Described): Wanted[] {
  const config = isObject(topology.config) ? topology.config : {};
  const layers = Array.isArray(topology.config) ? topology.config : config['layers'];
  const rest = [...after];
  return (Array.isArray(layers) ? layers.filter(isObject) : []).flatMap((outer) => {
    const inside = rest.splice(0, countOf(outer));
    const all = inside.flatMap(({ layer, names, weights }) =>
      names.map((name, k) => ({
        name,
        weight: weights[k] as string,
        trained: isTrained(layer, outer) && !String(weights[k]).startsWith('moving_'),
      })),
    );
    return [...all.filter(({ trained }) => trained), ...all.filter(({ trained }) => !trained)];
  });
}

/** The number of layers with weights in a part. */
function countOf(layer: Json): number {
  const kind = String(layer['class_name']);
  const config = isObject(layer['config']) ? layer['config'] : {};
  if (modelClasses.has(kind)) {
    const layers = Array.isArray(layer['config']) ? layer['config'] : config['layers'];
    return Array.isArray(layers) ? layers.filter(isObject).reduce((sum, one) => sum + countOf(one), 0) : 0;
  }
  const inner = config['layer'];
  if (isObject(inner)) return countOf(inner) * (kind === 'Bidirectional' ? 2 : 1);
  return hasWeights(layer) ? 1 : 0;
}

function isTrained(...layers: readonly Json[]): boolean {
  return layers.every((layer) => !isObject(layer['config']) || layer['config']['trainable'] !== false);
}

function tensor(name: string, { shape, values }: Numbers): GivenTensor {
  return { name, shape, values };
}

function missing(name: string) {
  return unreadable(`its weight ${name} is missing`);
}
