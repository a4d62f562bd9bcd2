import { shapeSize } from '@coppice/protocol';
import { isObject } from '../layers.ts';
import { weightsOf } from '../weight-names.ts';
import type { ModelFile } from './model-file.ts';

/** What a person is shown of files before a task is made of them. */
export interface ModelSummary {
  readonly format: ModelFile['format'];
  /** Layers with weights, at any depth. */
  readonly layers: number;
  /** Of these, the names of those that training does not move, in the order of the model. */
  readonly frozenLayers: readonly string[];
  /** Numbers of weights, and of frozen ones; null where the files have no weights. */
  readonly parameters: number | null;
  readonly frozen: number | null;
}

export function summaryOf({ topology, weights, format }: ModelFile): ModelSummary {
  const frozenParts = frozenIn(topology, false, new Set());
  const layers = weightsOf(topology);
  const frozenLayers = layers.filter(({ layer }) => frozenParts.has(layer));
  const frozenNames = new Set(frozenLayers.flatMap(({ names }) => names));
  const count = (tensors: ModelFile['weights']) =>
    tensors?.reduce((sum, { shape }) => sum + shapeSize(shape), 0) ?? null;
  return {
    format,
    layers: layers.length,
    frozenLayers: frozenLayers.map(({ names }) => layerOf(names[0] ?? '')),
    parameters: count(weights),
    frozen: count(weights?.filter(({ name }) => frozenNames.has(name)) ?? null),
  };
}

/** All parts of a description that lie in one with `"trainable": false`, or are one. */
function frozenIn(part: unknown, isFrozen: boolean, found: Set<object>): Set<object> {
  if (Array.isArray(part)) for (const one of part) frozenIn(one, isFrozen, found);
  if (!isObject(part)) return found;
  const config = part['config'];
  const here = isFrozen || (isObject(config) && config['trainable'] === false);
  if (here) found.add(part);
  for (const inner of Object.values(part)) frozenIn(inner, here, found);
  return found;
}

function layerOf(weight: string): string {
  return weight.slice(0, Math.max(0, weight.lastIndexOf('/')));
}
