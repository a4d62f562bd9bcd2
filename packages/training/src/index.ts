// The menu of this room. Inside the room, import the file.
export { backendNames, firstWorkingBackend } from './backends.ts';
export { createTrainer } from './create-trainer.ts';
export { checkModel, describeModel } from './describe-model.ts';
export type { Pace } from './pace.ts';
export { type RankedBackend, rankBackends } from './rank-backends.ts';
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
