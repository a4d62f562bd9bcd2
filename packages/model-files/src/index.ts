// The menu of this room: the description of a model in every form that people have. Loads neither tfjs nor a reader of files.
export { checkLayers } from './check-layers.ts';
export { completeNames, madeName } from './complete-names.ts';
export { fitWeights, tensorsOf } from './fit-weights.ts';
export type { GivenTensor } from './given-tensor.ts';
export { invalid } from './invalid.ts';
export { checkNesting, MAX_NESTING, tooDeep } from './nesting.ts';
export { fitRange } from './picture-scaling.ts';
export { readTopology } from './read-topology.ts';
export { type LayerWeights, weightsOf } from './weight-names.ts';
