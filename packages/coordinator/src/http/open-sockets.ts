import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http';
import type { Server as SecureServer } from 'node:https';
import type { Socket } from 'node:net';

/**
 * The network connections of a server, so that it can come to its end. Node's `close` waits for a connection that has sent no
 * whole request, such as one that a browser opened for later, and watches its timeouts no longer.
 */
export class OpenSockets {
  readonly #open = new Set<Socket>();
  /** Requests that are being answered, by connection; one that was upgraded has one for ever. */
  readonly #asked = new Map<Socket, number>();
  readonly #isSecure: boolean;
  #isEnding = false;

  constructor(server: HttpServer | SecureServer, isSecure: boolean) {
    this.#isSecure = isSecure;
    server.on('connection', (socket: Socket) => {
      if (this.#isEnding) socket.destroy();
      else this.#watch(socket);
    });
    if (isSecure) server.on('secureConnection', (socket: Socket) => this.#watch(socket));
    server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
      this.#count(socket, 1);
      response.once('close', () => {
        this.#count(socket, -1);
        if (this.#isEnding && !this.#asked.has(socket)) socket.destroySoon();
      });
    });
  }

  /** Watches upgrades too. Call once Socket.IO is attached: with a listener and no answer, they would wait for ever. */
  watchUpgrades(server: HttpServer | SecureServer): void {
    server.on('upgrade', ({ socket }: IncomingMessage) => this.#count(socket, 1));
  }

  /** Ends the connections that ask nothing now, the others as soon as they are answered. */
  endIdle(): void {
    this.#isEnding = true;
    for (const socket of this.#open) if (this.#isIdle(socket)) socket.destroy();
  }

  /** Ends all connections, answered or not. */
  endAll(): void {
    for (const socket of this.#open) socket.destroy();
  }

  /** Below TLS, nothing tells what a connection asks. */
  #isIdle(socket: Socket): boolean {
    return !this.#asked.has(socket) && (!this.#isSecure || 'encrypted' in socket);
  }

  #watch(socket: Socket): void {
    this.#open.add(socket);
    socket.once('close', () => {
      this.#open.delete(socket);
      this.#asked.delete(socket);
    });
  }

  #count(socket: Socket, more: number): void {
    const asked = (this.#asked.get(socket) ?? 0) + more;
    if (asked > 0 && this.#open.has(socket)) this.#asked.set(socket, asked);
    else this.#asked.delete(socket);
  }
}
