import { type LayerInfo, notPlanned, type PlanLayer } from '../layer.ts';

/** Flatten, Reshape, and layers without effect: the same numbers in the same order. */
export function planReshape(layer: LayerInfo): PlanLayer {
  if (layer.config['dataFormat'] === 'channelsFirst') notPlanned(layer, 'channels first');
  return (_, input) => ({ output: input, backward: (gradient) => gradient });
}
