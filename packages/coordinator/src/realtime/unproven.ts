import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { MAX_UNPROVEN_BYTES } from '@coppice/protocol';
import type { Server, Socket } from 'socket.io';

type Connection = Socket['conn'];

/**
 * Limits the bytes that a connection may send before it has proved its identity. Socket.IO's limit of one message is
 * the same for all connections, and messages are buffered whole; strangers could fill memory with pieces of updates.
 */
export class Unproven {
  /** Connections with a proved identity, by Engine.IO id. */
  readonly #proven = new Set<string>();
  /** Their network sockets, since a WebSocket's requests carry no id. */
  readonly #sockets = new WeakSet<Duplex>();

  /** Attaches Socket.IO through `attach`, with the limits before and behind it. Call once. */
  watch(server: HttpServer, attach: () => Server): void {
    server.on('upgrade', (request, socket) => this.#count(request, socket));
    attach().engine.use((request: IncomingMessage, response: ServerResponse, next: () => void) => {
      const { method, headers } = request;
      const length = Number(headers['content-length'] ?? Number.NaN);
      // A request without a length could have any.
      if (method !== 'POST' || length <= MAX_UNPROVEN_BYTES || this.#proven.has(idOf(request))) next();
      else response.writeHead(413).end();
    });
  }

  /** Lifts the limit; only Socket.IO's limit of one message remains. */
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
    // Listening starts the flow of data, so the actual reader must be attached first.
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
