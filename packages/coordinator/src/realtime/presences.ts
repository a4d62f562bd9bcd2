import type { ServerResponse } from 'node:http';
import type { Down, DownName } from '@coppice/protocol';
import type { Namespace, Socket } from 'socket.io';
import type { Audience, Bytes } from '../rounds/audience.ts';
import { ByteCounts } from './byte-counts.ts';
import { Outbox } from './outbox.ts';

/** Least number of presences before unneeded ones are searched for. */
const FIRST_LOOK = 100;

interface Presence {
  /** The open connection; `null`: none. */
  socket: Socket | null;
  readonly bytes: ByteCounts;
  /** Ends the count of the open connection. */
  endCount: () => void;
  /**
   * Runs joined, on this connection or an earlier one: their rows show the bytes above, and they are told when the
   * connection breaks. An update counts on a new connection before anything else does, and makes its sender present.
   */
  readonly runs: Set<string>;
}

/**
 * Connections of participants by id, with the bytes that each has sent and received. A participant has one connection
 * at a time, and its bytes are counted as long as an active run shows them.
 */
export class Presences implements Audience {
  readonly #namespace: Namespace;
  readonly #remembers: (participant: string, run: string) => boolean;
  readonly #bytesOf: (connection: Socket['conn']) => Bytes;
  readonly #presences = new Map<string, Presence>();
  readonly #outbox: Outbox;
  /** Number of presences at which unneeded ones are searched for: each search costs as much as there are. */
  #nextLook = FIRST_LOOK;

  /**
   * @param remembers checks that a run that is not over shows this participant.
   * @param bytesOf the bytes of a connection, framing included.
   */
  constructor(
    namespace: Namespace,
    remembers: (participant: string, run: string) => boolean,
    bytesOf: (connection: Socket['conn']) => Bytes,
  ) {
    this.#namespace = namespace;
    this.#remembers = remembers;
    this.#bytesOf = bytesOf;
    this.#outbox = new Outbox((sockets, name, message) => void namespace.to(sockets).emit(name, message));
  }

  /** Open connections. */
  get connected(): number {
    return this.#namespace.sockets.size;
  }

  /** Number of participants whose bytes are counted: connected, or in a run that is not over. */
  get remembered(): number {
    return this.#presences.size;
  }

  /** @returns the connection that this one replaces; `null`: none. */
  connect(participant: string, socket: Socket): Socket | null {
    const presence = this.#presences.get(participant) ?? {
      socket: null,
      bytes: new ByteCounts(),
      endCount: () => {},
      runs: new Set<string>(),
    };
    this.#presences.set(participant, presence);
    const replaced = presence.socket;
    presence.endCount();
    presence.socket = socket;
    presence.endCount = presence.bytes.connection(() => this.#bytesOf(socket.conn));
    return replaced;
  }

  /**
   * Removes a closed connection. Call while its socket still has its counters.
   *
   * @returns the runs that the participant joined; `null` where another connection has replaced this one.
   */
  disconnect(participant: string, socket: Socket): ReadonlySet<string> | null {
    const presence = this.#presences.get(participant);
    if (presence?.socket !== socket) return null;
    presence.endCount();
    presence.socket = null;
    return presence.runs;
  }

  /** Records that the participant joined a run. */
  joined(participant: string, run: string): void {
    this.#presences.get(participant)?.runs.add(run);
  }

  /** The open connection of a participant; `null`: none. */
  socketOf(participant: string): Socket | null {
    return this.#presences.get(participant)?.socket ?? null;
  }

  /** Open connections by participant. */
  *sockets(): Iterable<[participant: string, socket: Socket]> {
    for (const [participant, { socket }] of this.#presences) if (socket !== null) yield [participant, socket];
  }

  /** Forgets a disconnected participant, unless a run shows it; at times all such participants. */
  forget(participant: string): void {
    const presence = this.#presences.get(participant);
    if (presence !== undefined && !this.#isNeeded(participant, presence)) this.#presences.delete(participant);
    // Runs forget in their own time members that never delivered.
    if (this.#presences.size > this.#nextLook) this.forgetAll();
  }

  /** Forgets all disconnected participants that no run shows: only storage remembers them. */
  forgetAll(): void {
    for (const [participant, presence] of this.#presences)
      if (!this.#isNeeded(participant, presence)) this.#presences.delete(participant);
    this.#nextLook = 2 * this.#presences.size + FIRST_LOOK;
  }

  send<N extends DownName>(participants: readonly string[], name: N, message: Down<N>): void {
    const sockets: string[] = [];
    for (const id of participants) {
      const socket = this.socketOf(id);
      if (socket !== null) sockets.push(socket.id);
    }
    this.#outbox.send(sockets, name, message);
  }

  bytes(participant: string): Bytes {
    return this.#presences.get(participant)?.bytes.total ?? { up: 0, down: 0 };
  }

  /** Counts the bytes of an HTTP response as sent to a participant, as long as that is remembered. */
  countResponse(participant: string, response: ServerResponse): void {
    const { socket } = response;
    const presence = this.#presences.get(participant);
    if (socket !== null && presence !== undefined) response.once('close', presence.bytes.response(socket));
  }

  /** Discards unwritten messages: their recipients will reconnect to the next process, and be asked again. */
  close(): void {
    this.#outbox.clear();
  }

  #isNeeded(participant: string, { socket, runs }: Presence): boolean {
    if (socket !== null) return true;
    for (const run of runs) if (this.#remembers(participant, run)) return true;
    return false;
  }
}
