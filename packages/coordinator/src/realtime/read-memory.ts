import type { Buffer } from 'node:buffer';
import { letGo } from './let-go.ts';

/**
 * The private state of ws's receiver that shows that it has consumed its input. Where it is missing, the input never
 * counts as consumed.
 */
export interface Reader {
  /** 0: between two frames. */
  readonly _state?: number;
  readonly _bufferedBytes?: number;
  readonly _fragments?: readonly unknown[];
}

/**
 * Releases the buffers that a connection's bytes were read into, as soon as messages have been copied out of them. Left
 * to the garbage collector they take as much memory as all updates together, and each 64 MB of it make V8 scan the
 * objects of all connections.
 */
export class ReadMemory {
  readonly #reader: Reader;
  /** Buffers that were read and not released; the last one is being parsed. */
  #chunks: Buffer[] = [];

  constructor(reader: Reader) {
    this.#reader = reader;
  }

  /** Call before the receiver parses a buffer. */
  read(chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  /**
   * Releases all buffers before the one in which a message ended.
   *
   * @param data the message's content. A short one is a view of its buffer, which then belongs to the message.
   */
  complete(data: unknown): void {
    const own = ArrayBuffer.isView(data) ? data.buffer : data;
    const current = this.#chunks.at(-1);
    this.#chunks = this.#chunks.filter((chunk) => {
      if (chunk.buffer === own) return false;
      if (chunk !== current) letGo(chunk);
      return chunk === current;
    });
  }

  /** Releases all buffers where no message is incomplete. Call after the receiver parsed one. */
  done(): void {
    const { _state, _bufferedBytes, _fragments } = this.#reader;
    if (_state !== 0 || _bufferedBytes !== 0 || _fragments?.length !== 0) return;
    for (const chunk of this.#chunks) letGo(chunk);
    this.#chunks = [];
  }

  close(): void {
    this.#chunks = [];
  }
}
