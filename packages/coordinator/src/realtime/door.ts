import type { IncomingMessage } from 'node:http';
import { CoppiceError } from '@coppice/protocol';
import type { ExtendedError, Namespace, Server, Socket } from 'socket.io';
import type { AddressLimit } from '../security/address-limit.ts';
import { clientAddress, secureRequest, type Trust, trusted } from '../security/client-address.ts';
import type { ConnectionCaps } from '../security/connection-caps.ts';
import { hostKnown } from '../security/hosts.ts';
import { originAllowed } from '../security/origins.ts';

type Connection = Socket['conn'];

export interface DoorOptions {
  readonly trust: Trust;
  /** Origins whose pages may open sockets, beside the coordinator's own. */
  readonly origins: readonly string[];
  readonly publicUrl: string | null;
  readonly caps: ConnectionCaps;
  /** Limit of new connections from one address in a minute. */
  readonly begun: AddressLimit;
  /** Called for every refused connection: with an error code, or `origin-refused`. */
  readonly refused: (reason: string) => void;
  /** Called once for a proxy that is not configured: all clients behind it count as one address. */
  readonly unnamedProxy: () => void;
}

/** Checks of a new socket before any of its messages is read: host, origin, caps and rate. */
export class Door {
  readonly #o: DoorOptions;
  readonly #over = new WeakSet<Connection>();
  #proxySeen = false;

  constructor(options: DoorOptions) {
    this.#o = options;
  }

  /** Socket.IO's option of this name; called once for each connection before it is accepted. */
  readonly allowRequest = (
    request: IncomingMessage,
    decide: (problem: string | null, allowed: boolean) => void,
  ): void => {
    this.#problem(request).then(
      (problem) => {
        if (problem !== null) this.#o.refused(problem);
        decide(problem, problem === null);
      },
      () => decide('internal', false),
    );
  };

  async #problem(request: IncomingMessage): Promise<string | null> {
    const { trust, origins, publicUrl, caps, begun } = this.#o;
    const { headers } = request;
    if (!secureRequest(request, trust) && !hostKnown(headers.host, publicUrl)) return 'host-unknown';
    // Another page's script must not open sockets with its visitors' help; see SECURITY.md.
    if (!originAllowed(headers, origins)) return 'origin-refused';
    if (!this.#proxySeen && headers['x-forwarded-for'] !== undefined && !trusted(request, trust)) {
      this.#proxySeen = true;
      this.#o.unnamedProxy();
    }
    const address = clientAddress(request, trust);
    if (caps.shut(address)) return 'too-many-connections';
    return (await begun.take(address)) === null ? null : 'rate-limited';
  }

  /** Counts the connections of a server. */
  watch(io: Server): void {
    io.engine.on('connection', (connection: Connection) => {
      const { over, closed } = this.#o.caps.opened(this.addressOf(connection));
      if (over) this.#over.add(connection);
      connection.once('close', closed);
    });
  }

  /** Disconnects connections over a cap from a namespace, with the reason. */
  guard(namespace: Namespace): void {
    namespace.use((socket, next) => {
      if (!this.#over.has(socket.conn)) return next();
      this.#o.refused('too-many-connections');
      next(refusal(tooMany()));
      // The answer goes out first.
      setImmediate(() => socket.conn.close());
    });
  }

  addressOf(connection: Connection): string {
    return clientAddress(connection.request, this.#o.trust);
  }
}

/** Wraps an error for Socket.IO's refusal of a connection. */
export function refusal(error: CoppiceError): ExtendedError {
  return Object.assign(new Error('refused'), { data: error.toWire() });
}

function tooMany(): CoppiceError {
  return new CoppiceError(
    'too-many-connections',
    'The coordinator has as many connections as it takes, in all or from this address, which many people may share. Close other tabs that take part; it is tried again by itself.',
  );
}
