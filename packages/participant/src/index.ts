// The menu of this room. Inside the room, import the file.
export { type Block, checkExamples, summarize } from './examples.ts';
export { type HeldOutShares, holdOut, type Split } from './holdout.ts';
export { httpParcels } from './http-parcels.ts';
export type * from './kept-parcels.ts';
export { learnerOf } from './learner.ts';
export type * from './local-data.ts';
export type * from './local-state.ts';
export { exampleIds, ID_BYTES, type Marking } from './marks.ts';
export { memoryData } from './memory-data.ts';
export { memoryState } from './memory-state.ts';
export type * from './parcel-source.ts';
export { createSession, type SessionOptions } from './session.ts';
export type * from './session-state.ts';
export { socketTransport } from './socket-transport.ts';
export { type CreateTrainer, type TrainerHost, trainerHost } from './trainer-host.ts';
export type * from './transport.ts';
