// The door to what a program is as a process: signals, standard streams, its starter. Loads nothing of the coordinator.
export { type Output, standardError, standardOutput } from './output.ts';
export { print, READER_GONE, Results, surviveBrokenStreams } from './results.ts';
export { Starter } from './starter.ts';
export { onStopRequest, type StopSignal } from './stop-requests.ts';
