// The menu of this room. Inside the room, import the file. None of it loads tfjs before a model or a backend needs it.
export { createTrainer } from './create-trainer.ts';
export { layoutOf } from './layout-of.ts';
export { metricsOf } from './metrics.ts';
export { type ModelTask, modelKey, modelOf } from './model-of.ts';
export type { Pace } from './pace.ts';
export { type RankedBackend, rankBackends } from './rank-backends.ts';
export { rolesOf } from './roles-of.ts';
export type {
  BackendName,
  Dataset,
  Inputs,
  LocalTraining,
  ModelDescription,
  Predicted,
  Trainer,
  TrainingProgress,
  TrainingResult,
  TrainOptions,
} from './trainer.ts';
export type { WeightRole } from './weight-role.ts';
