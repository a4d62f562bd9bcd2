import type { Topology } from './task.ts';

/**
 * The name of the layer whose input is a model's features: its last layer of the class Dense, as every device reads it from
 * the topology alone. `null` where none is at the top level, or it is applied more than once: such a model has no features.
 */
export function featureLayerOf({ class_name, config }: Topology): string | null {
  const layers = layersOf(config);
  const dense = layers.findLast((layer) => layer['class_name'] === 'Dense');
  if (dense === undefined) return null;
  const name = nameOf(dense);
  if (name === null || layers.filter((layer) => nameOf(layer) === name).length > 1) return null;
  const calls = dense['inbound_nodes'];
  const isApplied = class_name === 'Sequential' || (Array.isArray(calls) && calls.length === 1);
  return isApplied ? name : null;
}

type Entry = Readonly<Record<string, unknown>>;

/** The layers of a model's config, which older Sequential models have in the place of it. */
function layersOf(config: unknown): Entry[] {
  const layers = Array.isArray(config) ? config : (config as { layers?: unknown } | null)?.layers;
  return Array.isArray(layers)
    ? layers.filter((layer): layer is Entry => typeof layer === 'object' && layer !== null)
    : [];
}

function nameOf({ name, config }: Entry): string | null {
  const own = (config as { name?: unknown } | null | undefined)?.name ?? name;
  return typeof own === 'string' ? own : null;
}
