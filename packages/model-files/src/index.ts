// The menu of this room: the description of a model in every form that people have. Loads neither tfjs nor a reader of files.
export type { GivenTensor } from './given-tensor.ts';
export { checkNesting, MAX_NESTING, tooDeep } from './nesting.ts';
export { invalid, readTopology } from './read-topology.ts';
