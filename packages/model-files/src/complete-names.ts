import type { Topology } from '@coppice/protocol';
import { isObject, type Json, modelClasses, named } from './layers.ts';

/** A name that tfjs takes for a layer and its weights. */
const valid = /^[A-Za-z0-9][-A-Za-z0-9_./]*$/;

/**
 * Gives every layer of a model a name of its own: one for layers without any, another for those whose name tfjs does not
 * take (`第二层`, `first layer`), and for layers in different models inside of it that have the same. So that the
 * weights of each have names of their own, by which plain tfjs finds them in `model.json`.
 *
 * Names that can stay do. Layers of one list with the same name keep it: it is a fault of the model.
 *
 * @param topology As `readTopology` returns it; unchanged.
 */
export function completeNames(topology: Topology): Topology {
  // Through JSON, so that a layer that stands in two places of an object is two layers.
  const copy = JSON.parse(JSON.stringify(topology)) as Topology & Json;
  const config = copy.config;
  if (isObject(config) && typeof config['name'] !== 'string')
    config['name'] = madeName(copy.class_name, null);
  nameLayers(copy, new Set());
  return copy;
}

/** @param taken the names of all layers before, in other lists. */
function nameLayers(model: Json, taken: Set<string>): void {
  const config = model['config'];
  const list = Array.isArray(config) ? config : isObject(config) ? config['layers'] : null;
  if (!Array.isArray(list)) return;
  const layers = list.filter(isObject);
  const own = new Set<string>();
  const written = new Set(layers.map(named));
  const renamed = new Map<string, string>();
  for (const [index, layer] of layers.entries()) {
    const before = named(layer);
    const free = (name: string) =>
      !taken.has(name) && (name === before || !written.has(name)) && !own.has(name);
    const name =
      valid.test(before) && !taken.has(before) ? before : newName(layer, index, named(model), free);
    own.add(name);
    if (before !== '') renamed.set(before, name);
    setName(layer, name);
  }
  for (const name of own) taken.add(name);
  if (isObject(config)) {
    for (const layer of layers)
      layer['inbound_nodes'] !== undefined && rename(layer['inbound_nodes'], renamed);
    for (const key of ['input_layers', 'output_layers']) rename(config[key], renamed);
  }
  for (const layer of layers) nameInner(layer, taken);
}

/** Names the layers inside of a layer: those of a model, and the one of a wrapper. */
function nameInner(layer: Json, taken: Set<string>): void {
  if (modelClasses.has(String(layer['class_name']))) nameLayers(layer, taken);
  const config = layer['config'];
  if (!isObject(config)) return;
  for (const key of ['layer', 'backward_layer']) {
    const inner = config[key];
    if (!isObject(inner)) continue;
    const before = named(inner);
    if (!valid.test(before) || taken.has(before)) {
      setName(
        inner,
        newName(inner, null, named(layer), (name) => !taken.has(name)),
      );
    }
    taken.add(named(inner));
    nameInner(inner, taken);
  }
}

function newName(layer: Json, index: number | null, model: string, free: (name: string) => boolean): string {
  const before = named(layer);
  const bare = before.replace(/[^-A-Za-z0-9_./]+/g, '_').replace(/^[^A-Za-z0-9]+/, '');
  const made = bare.replace(/_/g, '') === '' ? madeName(String(layer['class_name']), index) : bare;
  if (free(made)) return made;
  const within = valid.test(model) ? `${model}_${made}` : made;
  if (free(within)) return within;
  for (let i = 1; ; i++) if (free(`${within}_${i}`)) return `${within}_${i}`;
}

function setName(layer: Json, name: string): void {
  if (!isObject(layer['config'])) {
    if (layer['name'] !== undefined) layer['name'] = name;
    return;
  }
  layer['config']['name'] = name;
  if (layer['name'] !== undefined) layer['name'] = name;
}

/** Renames the layers in lists of `[layer, node, tensor, …]`, at any depth. */
function rename(part: unknown, names: ReadonlyMap<string, string>): void {
  if (!Array.isArray(part)) return;
  const [first] = part as unknown[];
  if (typeof first === 'string') part[0] = names.get(first) ?? first;
  else for (const item of part) rename(item, names);
}

/** The name of a layer without one: `MaxPooling2D`, third of its list → `max_pooling2d_3`, as tfjs names its layers. */
export function madeName(className: string, index: number | null): string {
  const name = className
    .replace(/(.)([A-Z][a-z0-9]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
  return index === null ? name : `${name}_${index + 1}`;
}
