import type { Topology } from '@coppice/protocol';
import { checkLayers } from '../check-layers.ts';
import { completeNames } from '../complete-names.ts';
import type { GivenTensor } from '../given-tensor.ts';
import { readTopology } from '../read-topology.ts';
import { type LayerWeights, weightsOf } from '../weight-names.ts';

/** What files of a model hold. */
export interface ModelFile {
  /** In the form that tfjs reads; each layer has a name of its own. */
  readonly topology: Topology;
  /** All weights, by the names of the model's layout; null where the files have none. */
  readonly weights: readonly GivenTensor[] | null;
  readonly format: 'tfjs' | 'keras-2' | 'keras-3';
}

/** A description as read: its layers with weights before and after they were given names, in the same order. */
export interface Described {
  readonly topology: Topology;
  readonly before: readonly LayerWeights[];
  readonly after: readonly LayerWeights[];
}

/** @throws CoppiceError `model-invalid`, also where a layer cannot be had: its weights are not known then. */
export function described(model: unknown): Described {
  const read = readTopology(model);
  checkLayers(read);
  const topology = completeNames(read);
  return { topology, before: weightsOf(read), after: weightsOf(topology) };
}
