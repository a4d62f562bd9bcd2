import { crc32 } from 'node:zlib';
import { seededRandom } from '@coppice/ports';
import { systemClock } from '@coppice/ports/system';
import type { BackendName } from '@coppice/training';
import { coordinatorTime } from '../coordinator-time.ts';
import type { RawExamples } from '../local-data.ts';
import type { LocalState } from '../local-state.ts';
import { memoryData } from '../memory-data.ts';
import { memoryState } from '../memory-state.ts';
import type { ParcelSource } from '../parcel-source.ts';
import { createSession } from '../session.ts';
import type { Session } from '../session-state.ts';
import { socketTransport } from '../socket-transport.ts';
import { type TrainerHost, trainerHost } from '../trainer-host.ts';
import { headlessIdentity, headlessSecret } from './headless-identity.ts';

export { headlessIdentity, headlessSecret, trainerHost };

export interface HeadlessOptions {
  readonly url: string;
  /** Name of the identity: the same name is the same participant. For simulations only, since it can be guessed. */
  readonly identity: string;
  readonly examples: RawExamples;
  /** May be shared by many headless participants of one thread. */
  readonly host: TrainerHost;
  readonly backend: BackendName;
  /** A way to large parcels beside the socket, such as `httpParcels(url)`; left out, they come over the socket, where every byte is counted. */
  readonly parcels?: ParcelSource;
  /** State between rounds; left out, it is kept in memory. */
  readonly localState?: LocalState;
  /** The share of the examples that no plan trains on, in place of the task's; left out, the task's. */
  readonly heldOut?: number;
  /** Decides to drop out of an attempt of a round, before training. Both count from 1. */
  readonly dropsOut?: (round: number, attempt: number) => boolean;
}

/** A participant without a page: the browser's session with data in memory. */
export function createHeadlessParticipant(options: HeadlessOptions): Session {
  const { identity } = options;
  const marking = {
    random: seededRandom('examples', identity),
    now: () => coordinatorTime(session.state, systemClock),
  };
  const session: Session = createSession({
    transport: socketTransport(options.url, headlessIdentity(identity)),
    host: options.host,
    openData: async (_task, schema) => memoryData(schema, options.examples, marking),
    splitSecret: headlessSecret(identity),
    heldOut: options.heldOut,
    clock: systemClock,
    checksum: (bytes) => crc32(bytes),
    device: 'headless',
    backend: options.backend,
    localState: options.localState ?? memoryState(),
    keepModels: false,
    ...(options.parcels === undefined ? {} : { parcels: options.parcels }),
    ...(options.dropsOut === undefined ? {} : { dropsOut: options.dropsOut }),
  });
  return session;
}
