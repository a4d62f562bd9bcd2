import type { Socket } from 'socket.io';
import { oneAtATime } from '../storage/one-at-a-time.ts';
import { PieceQueue } from './piece-queue.ts';

/** The sender of a message: a participant on one connection, with the turns that its messages take there. */
export interface Sender {
  readonly participant: string;
  readonly socket: Socket;
  /** The capabilities that it named in its hello. */
  readonly features: ReadonlySet<string>;
  /** Invitations that it shows, one after the other: a sender that guesses keeps no other than itself waiting. */
  readonly invitations: ReturnType<typeof oneAtATime>;
  /** Pieces of models that it asked for. */
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
