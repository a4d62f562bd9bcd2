// The menu of what loads tfjs only where a model needs it: for threads that start often, and pages that should be small.
export { createTrainer } from './create-trainer.ts';
export { layoutOf } from './layout-of.ts';
export type {
  BackendName,
  Dataset,
  Inputs,
  LocalTraining,
  ModelDescription,
  Trainer,
  TrainingProgress,
  TrainingResult,
} from './trainer.ts';
