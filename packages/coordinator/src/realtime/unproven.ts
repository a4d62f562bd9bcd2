import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { MAX_UNPROVEN_BYTES } from '@coppice/protocol';
import type { Server, Socket } from 'socket.io';

type Connection = Socket['conn'];

/**
 * Bounds what a connection may send before it is known whose it is. Socket.IO's limit of one message is
 * the same for everybody and buffered whole; strangers could fill the memory with pieces of updates.
 */
export class Unproven {
  /** Connections that have proved who they are, by their Engine.IO id. */
  readonly #proven = new Set<string>();
  /** The same, by the socket of the machine: a WebSocket does not say its id. */
  readonly #sockets = new WeakSet<Duplex>();

  /** To be called once, right before and after Socket.IO is attached. */
  watch(server: HttpServer, attach: () => Server): void {
    server.on('upgrade', (request, socket) => this.#count(request, socket));
    attach().engine.use((request: IncomingMessage, response: ServerResponse, next: () => void) => {
      const { method, headers } = request;
      const length = Number(headers['content-length'] ?? Number.NaN);
      // What does not say how long it is could be anything.
      if (method !== 'POST' || length <= MAX_UNPROVEN_BYTES || this.#proven.has(idOf(request))) next();
      else response.writeHead(413).end();
    });
  }

  /** From now on only the limit of one message counts. */
  proved(connection: Connection): void {
    this.#proven.add(connection['id']);
    if (connection.transport.name === 'websocket') this.#sockets.add(connection.request.socket);
    connection.once('close', () => this.#proven.delete(connection['id']));
  }

  #count(request: IncomingMessage, socket: Duplex): void {
    let bytes = 0;
    const count = (chunk: Buffer) => {
      bytes += chunk.byteLength;
      if (bytes <= MAX_UNPROVEN_BYTES) return;
      socket.off('data', count);
      if (!this.#sockets.has(socket) && !this.#proven.has(idOf(request))) socket.destroy();
    };
    // Listening sets the data flowing, so whoever reads it has to be there first.
    const whenRead = (event: string) => {
      if (event !== 'data') return;
      socket.off('newListener', whenRead);
      queueMicrotask(() => socket.on('data', count));
    };
    socket.on('newListener', whenRead);
  }
}

function idOf({ url }: IncomingMessage): string {
  return new URLSearchParams(url?.split('?')[1] ?? '').get('sid') ?? '';
}
