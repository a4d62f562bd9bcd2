// The menu of this room. Inside the room, import the file.
export { backendNames, firstWorkingBackend } from './backends.ts';
export { checkModel, describeModel } from './describe-model.ts';
export * from './light.ts';
export type { Pace } from './pace.ts';
export { type RankedBackend, rankBackends } from './rank-backends.ts';
