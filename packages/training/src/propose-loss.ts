import { classesOf, type DataSchema, type Loss, type Topology } from '@coppice/protocol';

/**
 * The loss of a model that comes without one: mean squared error for numbers; for classes cross-entropy, of two classes the
 * binary one where the last layer that has units has one, which is the usual head for two classes.
 */
export function proposedLoss({ config }: Topology, data: DataSchema): Loss {
  const classes = classesOf(data);
  if (classes === null) return 'meanSquaredError';
  return classes.length === 2 && lastUnits(config) === 1 ? 'binaryCrossentropy' : 'categoricalCrossentropy';
}

/** Units of the last layer that states any, nested models included; `null` where none does. */
function lastUnits(config: unknown): number | null {
  const layers = Array.isArray(config) ? config : (config as { layers?: unknown } | null)?.layers;
  if (!Array.isArray(layers)) return null;
  for (const layer of [...(layers as { config?: unknown }[])].reverse()) {
    const units = (layer?.config as { units?: unknown } | undefined)?.units;
    if (typeof units === 'number') return units;
    const nested = lastUnits(layer?.config);
    if (nested !== null) return nested;
  }
  return null;
}
