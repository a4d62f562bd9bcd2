// The door `./files`: reading of files that hold models. The readers of HDF5 and zip are loaded when a file needs them.
export type { GivenTensor } from '../given-tensor.ts';
export type { ModelFile } from './model-file.ts';
export { readModelFile } from './read-model-file.ts';
export { type ModelSummary, summaryOf } from './summary.ts';
