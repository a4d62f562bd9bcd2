import type { Buffer } from 'node:buffer';
import { letGo } from './let-go.ts';

/** What of ws's reader says whether it is done with what it read. Not public; where it is not there, it is never done. */
export interface Reader {
  /** 0: between two frames. */
  readonly _state?: number;
  readonly _bufferedBytes?: number;
  readonly _fragments?: readonly unknown[];
}

/**
 * Gives back the memory that a connection's bytes were read into, as soon as messages have been copied out of it.
 * Left to the garbage collector it is as much as all updates together, and each 64 MB of it make V8 look through
 * the objects of all connections.
 */
export class ReadMemory {
  readonly #reader: Reader;
  /** Read, and not given back; the last one is being looked into. */
  #chunks: Buffer[] = [];

  constructor(reader: Reader) {
    this.#reader = reader;
  }

  /** Before the reader looks into it. */
  read(chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  /**
   * A message is complete: what was read before the piece that it ended in is used up.
   *
   * @param data what the message holds. A short one lies in what was read itself, which then is its own.
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

  /** After the reader looked into what was read: where nothing is begun, all of it is used up. */
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
