import type { Down, DownName } from '@coppice/protocol';

/** The most writes in one turn of the event loop, and the most bytes: a few milliseconds of system calls. */
export const WRITES_A_TURN = 100;
export const BYTES_A_TURN = 2 << 20;

interface Waiting {
  readonly sockets: readonly string[];
  /** Number of them already written to. */
  done: number;
  readonly bytes: number;
  readonly write: (sockets: string[]) => void;
}

/**
 * A queue of messages to many sockets, written in parts, so that other work runs in between: a thousand times the
 * weights of a small model take a second of system calls. Messages are written in order, each to all its sockets. A
 * message is one object for any number of recipients.
 */
export class Outbox {
  readonly #write: (sockets: string[], name: DownName, message: Down<DownName>) => void;
  readonly #later: (go: () => void) => void;
  #waiting: Waiting[] = [];
  /** Left of this turn, however many messages it has. */
  #writes = WRITES_A_TURN;
  #bytes = BYTES_A_TURN;
  /** Whether the next turn is awaited. */
  #going = false;

  /** @param later calls back in another turn of the event loop. */
  constructor(
    write: (sockets: string[], name: DownName, message: Down<DownName>) => void,
    later: (go: () => void) => void = setImmediate,
  ) {
    this.#write = write;
    this.#later = later;
  }

  /** @param sockets their ids; closed ones are skipped. */
  send<N extends DownName>(sockets: readonly string[], name: N, message: Down<N>): void {
    if (sockets.length === 0) return;
    this.#waiting.push({
      sockets,
      done: 0,
      bytes: binaryBytes(message),
      write: (some) => this.#write(some, name, message as Down<DownName>),
    });
    this.#go();
  }

  /** Discards unwritten messages. */
  clear(): void {
    this.#waiting = [];
  }

  #go(): void {
    for (let next = this.#waiting[0]; next !== undefined && this.#writes > 0; next = this.#waiting[0]) {
      // One goes through in any case, however large.
      const untouched = this.#writes === WRITES_A_TURN && this.#bytes === BYTES_A_TURN;
      const fitting = next.bytes === 0 ? this.#writes : Math.max(0, Math.floor(this.#bytes / next.bytes));
      const most = Math.min(this.#writes, untouched ? Math.max(1, fitting) : fitting);
      const some = next.sockets.slice(next.done, next.done + most);
      if (some.length === 0) break;
      next.write(some);
      next.done += some.length;
      this.#writes -= some.length;
      this.#bytes -= some.length * next.bytes;
      if (next.done === next.sockets.length) this.#waiting.shift();
    }
    if (this.#going || this.#writes === WRITES_A_TURN) return;
    this.#going = true;
    this.#later(() => {
      this.#going = false;
      this.#writes = WRITES_A_TURN;
      this.#bytes = BYTES_A_TURN;
      this.#go();
    });
  }
}

/** Size in bytes of a message's frames. */
function binaryBytes(message: object): number {
  const { frame, parcels = [] } = message as {
    frame?: { byteLength: number };
    parcels?: readonly { frame: { byteLength: number } }[];
  };
  return parcels.reduce((sum, parcel) => sum + parcel.frame.byteLength, frame?.byteLength ?? 0);
}
