import type { Clock } from '@coppice/ports';
import { CoppiceError } from '@coppice/protocol';
import type { Namespace, Socket } from 'socket.io';
import type { Admissions } from '../security/admissions.ts';
import type { Newcomers } from '../security/newcomers.ts';
import { challenge } from './challenge.ts';
import { type Claim, claimOf } from './claim.ts';
import { refusal } from './door.ts';
import { type Offences, tooManyOffences } from './offences.ts';

export interface EntranceOptions {
  readonly clock: Clock;
  /** The coordinator's URL, where proxies before it may hide it; null where there are none. */
  readonly publicUrl: string | null;
  readonly admissions: Pick<Admissions, 'refusal'>;
  readonly newcomers: Pick<Newcomers, 'refusal'>;
  readonly offences: Offences;
  readonly addressOf: (socket: Socket) => string;
  /** Called for every proof: with `ok` or an error code. */
  readonly answered: (result: string) => void;
}

/**
 * Admits participants to a namespace: each says hello once a connection, and then proves its key.
 *
 * @param entered called for each connection whose participant proved its key and is admitted.
 */
export function openEntrance(
  namespace: Namespace,
  options: EntranceOptions,
  entered: (socket: Socket, claim: Claim) => void,
): void {
  const { clock, publicUrl, admissions, newcomers, offences, addressOf, answered } = options;
  /** Connections whose hello was accepted. */
  const greeted = new WeakSet<object>();
  namespace.use((socket, next) => {
    const { conn } = socket;
    if (greeted.has(conn)) {
      // A second hello would be challenged beside the first, and neither could tell whose proof is whose.
      conn.close();
      return;
    }
    greeted.add(conn);
    claimOf(socket.handshake.auth)
      .then((claim) => {
        // Only a participant that proved a key can have filled its bucket.
        const wait = offences.wait(claim.participant);
        if (wait > 0) throw tooManyOffences(wait, null);
        socket.data.claim = claim;
        next();
      })
      .catch((thrown: unknown) => {
        greeted.delete(conn);
        next(refusal(CoppiceError.from(thrown)));
      });
  });
  namespace.on('connection', (socket) => {
    socket.once('disconnect', () => greeted.delete(socket.conn));
    const claim = socket.data.claim as Claim;
    const address = addressOf(socket);
    const refused = async (participant: string) =>
      admissions.refusal(participant, null) ?? newcomers.refusal(participant, address);
    challenge(socket, claim, { clock, publicUrl, refusal: refused, answered }, () => entered(socket, claim));
  });
}
