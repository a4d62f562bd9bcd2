// The menu of this room. Inside the room, import the file.
export { checkValues, ExactAccumulator, MAX_UPDATES, MAX_WEIGHTED, type PartialSum } from './accumulator.ts';
export { type CohortSizes, cohortSizes, selectCohort } from './cohort.ts';
export { meanMetrics, norm, trainableNorm } from './metrics.ts';
export { pipelineOf } from './pipeline/index.ts';
export { checkNorm, normBound } from './pipeline/norm-bound.ts';
export type { Pipeline, PipelineStep, StepContext } from './pipeline/pipeline.ts';
export { finish, STEP_PARAMETERS, type Steps } from './steps.ts';
export { strategyOf } from './strategies/index.ts';
export type { Applied, GlobalModel, Json, RoundResult, Strategy, StrategyState } from './strategy.ts';
