import type { Socket } from 'node:net';
import type { Bytes } from '../rounds/audience.ts';

/**
 * Bytes through the connections of one participant, counted by the operating system's sockets, framing and all: those of
 * its Socket.IO connections, and of the HTTP responses that it was sent.
 */
export class ByteCounts {
  #ended: Bytes = { up: 0, down: 0 };
  readonly #open = new Set<() => Bytes>();

  /**
   * Counts a connection from its first byte on.
   *
   * @param bytes all that went through it until now. @returns a function that ends the count; a second call does nothing.
   */
  connection(bytes: () => Bytes): () => void {
    return this.#count(bytes);
  }

  /** Counts what goes out on a connection from now on: it may have served others before. @returns a function that ends the count. */
  response(socket: Socket): () => void {
    const before = socket.bytesWritten;
    return this.#count(() => ({ up: 0, down: socket.bytesWritten - before }));
  }

  get total(): Bytes {
    let { up, down } = this.#ended;
    for (const count of this.#open) {
      const now = count();
      up += now.up;
      down += now.down;
    }
    return { up, down };
  }

  #count(count: () => Bytes): () => void {
    this.#open.add(count);
    return () => {
      if (!this.#open.has(count)) return;
      const { up, down } = count();
      this.#open.delete(count);
      this.#ended = { up: this.#ended.up + up, down: this.#ended.down + down };
    };
  }
}
