// The menu of this room: all that a page needs.
export { CoppiceError, type ErrorCode } from '@coppice/protocol';
export type { Client, ModelInfo, Status } from './client.ts';
export type { Condition } from './conditions.ts';
export { type ConnectOptions, connect } from './connect.ts';
export type { Sent } from './device.ts';
export type { Input } from './input.ts';
export type { Prediction } from './prediction.ts';
export type { RunFacts } from './run-terms.ts';
export type { PartTerms } from './taking-part.ts';
export type { WatchFacts } from './watch-facts.ts';
export type { MonitorStatus, PartStatus } from './watching.ts';
