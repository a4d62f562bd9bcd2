import type { Socket } from 'socket.io';
import { oneAtATime } from '../storage/one-at-a-time.ts';
import { PieceQueue } from './piece-queue.ts';

/** The sender of a message: a participant on one connection, with its queues there. */
export interface Sender {
  readonly participant: string;
  readonly socket: Socket;
  /** The capabilities in its hello. */
  readonly features: ReadonlySet<string>;
  /** Queue of its invitations, so that a sender that guesses delays only itself. */
  readonly invitations: ReturnType<typeof oneAtATime>;
  /** Queue of the model pieces that it requested. */
  readonly pieces: PieceQueue;
}

export function senderOf(participant: string, socket: Socket, features: ReadonlySet<string>): Sender {
  return {
    participant,
    socket,
    features,
    invitations: oneAtATime(),
    pieces: new PieceQueue(socket.conn),
  };
}
