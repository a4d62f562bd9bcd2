export type * from './local-data.ts';
export type * from './session-state.ts';
export type * from './transport.ts';
