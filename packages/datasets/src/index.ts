// The menu of this room. Runs anywhere; what needs Node's file system is in `./node`.
export { type ClickScript, clickStream, clicks, type Taste } from './drift/clicks.ts';
export {
  type MachineScript,
  machineStream,
  machines,
  type SensorFault,
} from './drift/machines.ts';
export { permuteLabels } from './drift/permute-labels.ts';
export { type PictureScript, pictureStream } from './drift/picture-stream.ts';
export { rotatePictures } from './drift/rotate.ts';
export type { Stream, StreamSize } from './drift/stream.ts';
export {
  compactNumbers,
  emptyLike,
  type Numbers,
  type RawExamples,
  selectExamples,
  type TaskData,
} from './examples.ts';
export { examplesCsv } from './examples-csv.ts';
export { type Picture, prepareImage } from './image.ts';
export { describeInput, type InputColumn, type PictureInput, type TableInput } from './input-description.ts';
export { type NormalisedExamples, normalise, normaliseFeatures, trainerExamples } from './normalise.ts';
export {
  evenParts,
  labelShards,
  proportionalSplit,
  quantileGroups,
  rowsByValue,
  sizesByWeight,
} from './partition/cuts.ts';
export { dirichlet } from './partition/dirichlet.ts';
export { type Heterogeneity, heterogeneity, type SizeSpread, sizeSpread } from './partition/heterogeneity.ts';
export { PARTITION_FORMS, type Partition, parsePartition } from './partition/spec.ts';
export { featureOf, type PartitionedData, partition, QUANTILES } from './partition.ts';
export { proposeModel } from './propose-model.ts';
export { checkQuality, type QualityFinding } from './quality.ts';
export type { SkippedRows } from './skipped-rows.ts';
export { builtInTask, builtInTasks } from './tasks/index.ts';
export { REGRESSION_BEST_LOSS, regressionData } from './tasks/regression.ts';
export type { UnlistedValues } from './unlisted-values.ts';
