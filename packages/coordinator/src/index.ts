// The menu of this room. Inside the room, import the file.
export { type Config, defaultConfig, helpText, noLimits, readConfig } from './config.ts';
export { type Coordinator, type CoordinatorOptions, startCoordinator } from './coordinator.ts';
export type { ModelWorker } from './model-worker/model-worker.ts';
export { threadedModels } from './model-worker/threaded-models.ts';
export { type StopOptions, stopOnSignals } from './stop-on-signals.ts';
export { fileSpool } from './storage/file-spool.ts';
export { memoryStorage } from './storage/memory.ts';
export { memorySpool } from './storage/memory-spool.ts';
export { openStorage } from './storage/open-storage.ts';
export type { RoundOpening, Spool, SpooledAnswer, SpooledRound } from './storage/spool.ts';
export type { Commit, RunRecord, Storage, StoredModel } from './storage/storage.ts';
