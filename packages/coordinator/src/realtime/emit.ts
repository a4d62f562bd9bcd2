import type { Down, DownName } from '@coppice/protocol';
import type { Socket } from 'socket.io';

/** Sends a message of the protocol over one connection. */
export function emit<N extends DownName>(socket: Pick<Socket, 'emit'>, name: N, message: Down<N>): void {
  socket.emit(name, message);
}
