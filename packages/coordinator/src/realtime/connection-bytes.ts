import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http';
import type { Socket as NetSocket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Server, Socket } from 'socket.io';
import type { Bytes } from '../rounds/audience.ts';

type Connection = Socket['conn'];
type Engine = Server['engine'];

interface Count {
  /** Bytes of ended requests (long polling). */
  requests: Bytes;
  /** Network sockets of WebSockets, with the bytes that earlier requests had on them. */
  readonly sockets: { readonly net: NetSocket; readonly before: Bytes }[];
}

const NONE: Bytes = { up: 0, down: 0 };

/**
 * Bytes of Engine.IO connections, whatever carries them, as counted by the network sockets, framing included: those of
 * a WebSocket, which may follow long polling, and those of each request of long polling once it has ended. A network
 * socket may serve requests of several connections, one after the other.
 */
export class ConnectionBytes {
  readonly #counts = new WeakMap<Connection, Count>();
  /** The connections that began with a request. */
  readonly #begun = new WeakMap<IncomingMessage, Connection>();
  /** Bytes of each network socket that belong to requests that have ended. */
  readonly #ended = new WeakMap<Duplex, Bytes>();

  /** Counts the connections of a server. Call after Socket.IO was attached to it, which takes other listeners' requests away. */
  watch(server: HttpServer, engine: Engine): void {
    engine.on('connection', (connection: Connection) => {
      this.#begun.set(connection.request, connection);
      const count = this.#countOf(connection);
      if (connection.transport.name === 'websocket')
        count.sockets.push({ net: connection.request.socket, before: NONE });
    });
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const { socket } = request;
      const known = connectionOf(engine, request);
      response.once('close', () => {
        const bytes = bytesOf(socket);
        const connection = known ?? this.#begun.get(request);
        if (connection !== undefined) {
          const count = this.#countOf(connection);
          count.requests = sum(count.requests, bytes, this.#ended.get(socket));
        }
        this.#ended.set(socket, bytes);
      });
    });
    server.on('upgrade', (request: IncomingMessage) => {
      const { socket } = request;
      const connection = connectionOf(engine, request);
      if (connection === undefined) return;
      const before = this.#ended.get(socket) ?? NONE;
      this.#countOf(connection).sockets.push({ net: socket, before });
    });
  }

  /** The bytes of a connection up to now. */
  of(connection: Connection): Bytes {
    const { requests, sockets } = this.#countOf(connection);
    return sockets.reduce((total, { net, before }) => sum(total, bytesOf(net), before), requests);
  }

  #countOf(connection: Connection): Count {
    const count = this.#counts.get(connection) ?? { requests: NONE, sockets: [] };
    this.#counts.set(connection, count);
    return count;
  }
}

/** The connection that a request names, as all but the first do. */
function connectionOf(engine: Engine, { url }: IncomingMessage): Connection | undefined {
  const id = new URLSearchParams(url?.split('?')[1] ?? '').get('sid');
  const clients = (engine as unknown as { clients: Record<string, Connection> }).clients;
  return id !== null && Object.hasOwn(clients, id) ? clients[id] : undefined;
}

function bytesOf(net: NetSocket): Bytes {
  return { up: net.bytesRead, down: net.bytesWritten };
}

function sum(total: Bytes, { up, down }: Bytes, less: Bytes = NONE): Bytes {
  return { up: total.up + up - less.up, down: total.down + down - less.down };
}
