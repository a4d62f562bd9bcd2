// The menu of this room. Inside the room, import the file.
export {
  ExactAccumulator,
  MAX_UPDATES,
  type PartialSum,
} from './accumulator.ts';
export { checkValues, MAX_WEIGHTED, type NormLimit } from './check-values.ts';
export { type Payload, payloadValues } from './codecs/decode.ts';
export { encodeInSteps, encodeValues } from './codecs/encode.ts';
export { type ModelStep, roundedStep, takeSteps } from './codecs/steps.ts';
export { float32Values, toFloat32, toFloat32InSteps, type Values } from './codecs/values.ts';
export { type CohortSizes, cohortSizes, selectCohort } from './cohort.ts';
export type { Learner, Trained } from './learner.ts';
export { meanMetrics, norm } from './metrics.ts';
export { type Compressed, compress, needsFeedback } from './pipeline/compress.ts';
export { pipelineOf } from './pipeline/index.ts';
export { type NormBound, normBound } from './pipeline/norm-bound.ts';
export type { Pipeline, PipelineStep, StepContext } from './pipeline/pipeline.ts';
export { finish, STEP_PARAMETERS, type Steps } from './steps.ts';
export { strategyOf } from './strategies/index.ts';
export type { Applied, GlobalModel, Json, RoundResult, Strategy, StrategyState } from './strategy.ts';
