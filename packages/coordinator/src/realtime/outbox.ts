import type { Down, DownName } from '@coppice/protocol';

/** What one turn of the event loop writes at most: a few milliseconds of system calls. */
export const WRITES_A_TURN = 100;
export const BYTES_A_TURN = 2 << 20;

interface Waiting {
  readonly sockets: readonly string[];
  /** How many of them were written to. */
  done: number;
  readonly bytes: number;
  readonly write: (sockets: string[]) => void;
}

/**
 * Messages to many, written a part at a time, so that others get their turn in between: a thousand times
 * the weights of a small model are a second of system calls. What was asked for first is written first,
 * to everyone. A message is one object however many wait for it.
 */
export class Outbox {
  readonly #write: (sockets: string[], name: DownName, message: Down<DownName>) => void;
  readonly #later: (go: () => void) => void;
  #waiting: Waiting[] = [];
  #going = false;

  /** @param later calls back in another turn of the event loop. */
  constructor(
    write: (sockets: string[], name: DownName, message: Down<DownName>) => void,
    later: (go: () => void) => void = setImmediate,
  ) {
    this.#write = write;
    this.#later = later;
  }

  /** @param sockets their ids; whoever is gone by then hears nothing. */
  send<N extends DownName>(sockets: readonly string[], name: N, message: Down<N>): void {
    if (sockets.length === 0) return;
    this.#waiting.push({
      sockets,
      done: 0,
      bytes: binaryBytes(message),
      write: (some) => this.#write(some, name, message as Down<DownName>),
    });
    if (!this.#going) this.#go();
  }

  /** Forgets what is not written yet. */
  clear(): void {
    this.#waiting = [];
  }

  #go(): void {
    let writes = WRITES_A_TURN;
    let bytes = BYTES_A_TURN;
    for (let next = this.#waiting[0]; next !== undefined && writes > 0; next = this.#waiting[0]) {
      // One goes through in any case, however large.
      const fitting = next.bytes === 0 ? writes : Math.max(0, Math.floor(bytes / next.bytes));
      const untouched = writes === WRITES_A_TURN && bytes === BYTES_A_TURN;
      const some = next.sockets.slice(
        next.done,
        next.done + Math.min(writes, untouched ? Math.max(1, fitting) : fitting),
      );
      if (some.length === 0) break;
      next.write(some);
      next.done += some.length;
      writes -= some.length;
      bytes -= some.length * next.bytes;
      if (next.done === next.sockets.length) this.#waiting.shift();
    }
    this.#going = this.#waiting.length > 0;
    if (this.#going) this.#later(() => this.#go());
  }
}

/** Bytes of the frames of a message. */
function binaryBytes(message: object): number {
  const { frame, parcels = [] } = message as {
    frame?: { byteLength: number };
    parcels?: readonly { frame: { byteLength: number } }[];
  };
  return parcels.reduce((sum, parcel) => sum + parcel.frame.byteLength, frame?.byteLength ?? 0);
}
