// The menu of this room. Inside the room, import the file.
export { type Payload, payloadValues } from './codecs/decode.ts';
export { encodeInSteps, encodeValues } from './codecs/encode.ts';
export { payloadRanges, type Range } from './codecs/ranges.ts';
export { type ModelStep, roundedStep, takeSteps } from './codecs/steps.ts';
export { float32Values, toFloat32, toFloat32InSteps, type Values } from './codecs/values.ts';
export { type CohortSizes, cohortSizes, selectCohort } from './cohort.ts';
export {
  checkColumnSums,
  columnSums,
  columnSumsLayout,
  scalingOf,
} from './contributions/column-sums.ts';
export { withFrozen, withFrozenInSteps, withoutFrozen } from './contributions/frozen.ts';
export { MODEL_GROUP, modelGroup, STEP_UNIT } from './contributions/layout.ts';
export { decodeMeasures, encodeMeasures, type Measures, measuresOf } from './contributions/measures.ts';
export { type Contribution, readContribution } from './contributions/payload.ts';
export { evaluationLayout, measureForm, trainLayout } from './contributions/train-layout.ts';
export {
  checkTally,
  countedLoss,
  countedSums,
  emptyTally,
  evaluationMeasures,
  MAX_MEAN_LOSS,
  type MeasureForm,
  metricsOf,
  type Tally,
  tallyMeasures,
  tallyOf,
  trainMeasures,
} from './contributions/train-measures.ts';
export type { Learner, Trained } from './learner.ts';
export { meanMetrics, norm } from './metrics.ts';
export { keepFrozen, partOf, wholeOf } from './model-parts.ts';
export { pipelineOf } from './pipeline/index.ts';
export {
  layoutBounds,
  type NormBound,
  type Norms,
  namedBounds,
  normNames,
} from './pipeline/norm-bound.ts';
export type {
  Bounds,
  Encoded,
  Pipeline,
  PipelineKept,
  PipelineStep,
  StepContext,
  Vectors,
} from './pipeline/pipeline.ts';
export { discreteGaussian, type Rational, rationalVariance } from './privacy/discrete-gaussian.ts';
export { noisyTotals } from './privacy/noise.ts';
export { composed, gaussianDeviation, zcdpEpsilon } from './privacy/zcdp.ts';
export { medianOf } from './quantiles.ts';
export { type OwnMeans, ownMeans, quartilesOf, SPREAD_PARTICIPANTS } from './spread.ts';
export { finish, giveUp, STEP_PARAMETERS, type Steps } from './steps.ts';
export { fedavg } from './strategies/fedavg.ts';
export { fedadam, fedyogi } from './strategies/fedopt.ts';
export { strategyOf } from './strategies/index.ts';
export { localTraining } from './strategies/local-training.ts';
export { median } from './strategies/median.ts';
export { CONTROL, scaffold } from './strategies/scaffold.ts';
export type {
  Answered,
  Applied,
  Asked,
  ContributionSize,
  GlobalModel,
  Json,
  ParticipantHalf,
  RoundResult,
  ServerHalf,
  Strategy,
  StrategyState,
} from './strategy.ts';
export { ExactAccumulator, MAX_UPDATES, type PartialSum } from './sums/accumulator.ts';
export { checkValues, MAX_WEIGHTED, type NormLimit } from './sums/check-values.ts';
export { type EncodedRow, encodedRows } from './sums/encoded-rows.ts';
export { ExactSum } from './sums/exact.ts';
export { MeasureSum, type PartialMeasures } from './sums/measure-sum.ts';
export { coordinateWise, ROW_SLICE, type Rows, rowsInMemory } from './sums/rows.ts';
export { RowsSum } from './sums/rows-sum.ts';
export type { Added, Aggregate, Limits, PartialContributions, Sum } from './sums/sum.ts';
