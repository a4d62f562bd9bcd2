import { crc32 } from 'node:zlib';
import { type Clock, seededRandom } from '@coppice/ports';
import { systemClock } from '@coppice/ports/system';
import { recipeHash } from '@coppice/protocol';
import type { BackendName } from '@coppice/training';
import { coordinatorTime } from '../coordinator-time.ts';
import type { LocalData, OpenLocalData, RawExamples } from '../local-data.ts';
import type { LocalState } from '../local-state.ts';
import { memoryData } from '../memory-data.ts';
import { memoryState } from '../memory-state.ts';
import type { ParcelSource } from '../parcel-source.ts';
import { createSession } from '../session.ts';
import type { Session } from '../session-state.ts';
import { socketTransport } from '../socket-transport.ts';
import { type TrainerHost, trainerHost } from '../trainer-host.ts';
import type { Transport } from '../transport.ts';
import { httpTasks } from '../watch/http-tasks.ts';
import type { KeptMonitors } from '../watch/kept-monitors.ts';
import { memoryMonitors } from '../watch/memory-monitors.ts';
import type { TaskSource } from '../watch/task-source.ts';
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
  /** Counts of predictions; left out, they are kept in memory. */
  readonly keptMonitors?: KeptMonitors;
  /** What is public of tasks; may be shared by many headless participants. Left out, it is read from `url`. */
  readonly tasks?: TaskSource;
  /** Left out, the system's. */
  readonly clock?: Clock;
  /** Stands between the session and its connection, so that a simulation sees what travels. */
  readonly through?: (connection: Transport) => Transport;
  /** Opens the examples of a task, in place of `examples`. */
  readonly openData?: OpenLocalData;
  /** The share of the examples that no plan trains on, in place of the task's; left out, the task's. */
  readonly heldOut?: number;
  /** Decides to drop out of an attempt of a round, before training. Both count from 1. */
  readonly dropsOut?: (round: number, attempt: number) => boolean;
}

/** A participant without a page: the browser's session with data in memory. */
export function createHeadlessParticipant(options: HeadlessOptions): Session {
  const { identity, clock = systemClock, through = (connection) => connection } = options;
  const opened = new Map<string, LocalData>();
  /** The same examples at each opening of a task, with the same ids; also where its scaling was agreed meanwhile. */
  const openInMemory: OpenLocalData = async (task, schema) => {
    const marking = {
      random: seededRandom('examples', identity),
      now: () => coordinatorTime(session.state, clock),
    };
    const key = `${task}/${recipeHash(schema)}`;
    const data = opened.get(key) ?? memoryData(schema, options.examples, marking);
    opened.set(key, data);
    const stops: (() => void)[] = [];
    return {
      ...data,
      subscribe(changed) {
        const stop = data.subscribe(changed);
        stops.push(stop);
        return stop;
      },
      close() {
        for (const stop of stops) stop();
      },
    };
  };
  const session: Session = createSession({
    transport: through(socketTransport(options.url, headlessIdentity(identity))),
    host: options.host,
    openData: options.openData ?? openInMemory,
    splitSecret: headlessSecret(identity),
    heldOut: options.heldOut,
    clock,
    checksum: (bytes) => crc32(bytes),
    device: 'headless',
    backend: options.backend,
    localState: options.localState ?? memoryState(),
    monitoring: {
      source: options.tasks ?? httpTasks(options.url, { clock }),
      kept: options.keptMonitors ?? memoryMonitors(),
    },
    keepModels: false,
    ...(options.parcels === undefined ? {} : { parcels: options.parcels }),
    ...(options.dropsOut === undefined ? {} : { dropsOut: options.dropsOut }),
  });
  return session;
}
