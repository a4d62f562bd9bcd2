import { CoppiceError, PIECE_WINDOW } from '@coppice/protocol';
import type { Socket } from 'socket.io';

type Connection = Socket['conn'];

/**
 * Model pieces that one connection requested: sent one at a time, each when the connection has drained, so that nothing
 * accumulates for a slow reader, and heartbeats pass in between.
 */
export class PieceQueue {
  readonly #connection: Connection;
  #waiting = 0;
  #turn: Promise<void> = Promise.resolve();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Resolves when a piece may be sent. @throws CoppiceError `message-invalid` where too many wait already. */
  async turn(): Promise<void> {
    if (this.#waiting === PIECE_WINDOW) {
      throw new CoppiceError(
        'message-invalid',
        `The message "parcel" is not valid: more than ${PIECE_WINDOW} pieces were asked for without waiting for an answer.`,
      );
    }
    this.#waiting++;
    this.#turn = this.#turn.then(() => lineIsFree(this.#connection));
    try {
      await this.#turn;
    } finally {
      this.#waiting--;
    }
  }
}

/** Resolves when all pending data is with the operating system, or the connection is closed. */
function lineIsFree(connection: Connection): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      connection.off('close', later);
      connection.off('upgrade', later);
      const { readyState, transport } = connection;
      if (readyState !== 'open' || transport.writable) return resolve();
      transport.once('ready', later);
      connection.once('close', later);
      connection.once('upgrade', later);
    };
    // In the next turn: the answer before this one goes first, and what waited until the line was ready.
    const later = () => void setImmediate(look);
    later();
  });
}
