import type { Down, DownName } from '@coppice/protocol';

/** Bytes through a participant's sockets, and of parcels that it fetched over HTTP, since it was first seen; up is towards the coordinator. */
export interface Bytes {
  readonly up: number;
  readonly down: number;
}

/** How a run speaks to its participants. Messages to those who are away are lost; the run does not wait for them. */
export interface Audience {
  /** Sends one message to many: encoded once. */
  send<N extends DownName>(participants: readonly string[], name: N, message: Down<N>): void;
  bytes(participant: string): Bytes;
}
