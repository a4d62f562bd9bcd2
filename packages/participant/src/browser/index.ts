import { systemClock } from '@coppice/ports/system';
import type { BackendName } from '@coppice/training';
import type { OpenLocalData } from '../local-data.ts';
import { createSession } from '../session.ts';
import type { Session } from '../session-state.ts';
import { socketTransport } from '../socket-transport.ts';
import { type CreateTrainer, type TrainerHost, trainerHost } from '../trainer-host.ts';
import { openCoppiceDb, openIdbData } from './idb-data.ts';
import { ownIdentity } from './own-identity.ts';

export interface BrowserParticipantOptions {
  /** The coordinator's origin. */
  readonly url: string;
  readonly createTrainer: CreateTrainer;
  readonly device: 'browser';
  /** Backends to try, in order. */
  readonly backends?: readonly BackendName[];
}

/** A participant in a browser: identity and examples in IndexedDB, training where `createTrainer` runs. */
export interface BrowserParticipant {
  readonly session: Session;
  readonly openData: OpenLocalData;
  /** A trainer of its own, to ask the model with: a question need not wait for a round of training. */
  readonly predictions: TrainerHost;
  close(): void;
}

export async function createBrowserParticipant(
  options: BrowserParticipantOptions,
): Promise<BrowserParticipant> {
  const db = await openCoppiceDb();
  const identity = await ownIdentity(db);
  const backends = options.backends ?? ['webgl', 'wasm', 'cpu'];
  const host = trainerHost(options.createTrainer, backends);
  const predictions = trainerHost(options.createTrainer, backends);
  const openData: OpenLocalData = (task, schema) => openIdbData(db, task, schema);
  const session = createSession({
    transport: socketTransport(options.url, identity),
    host,
    openData,
    clock: systemClock,
    device: options.device,
    backend: backends[0] as string,
    keepModels: true,
  });
  return {
    session,
    openData,
    predictions,
    close() {
      session.close();
      host.dispose();
      predictions.dispose();
      db.close();
    },
  };
}

export { openCoppiceDb, openIdbData } from './idb-data.ts';
