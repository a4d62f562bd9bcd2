// The menu of this room: all that a page needs.
export { CoppiceError, type ErrorCode } from '@coppice/protocol';
export type { Client, ModelInfo, Status } from './client.ts';
export { type ConnectOptions, connect } from './connect.ts';
export type { Input } from './input.ts';
export type { Prediction } from './prediction.ts';
