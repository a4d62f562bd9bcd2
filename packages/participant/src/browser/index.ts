import { systemClock } from '@coppice/ports/system';
import type { BackendName } from '@coppice/training';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { OpenLocalData } from '../local-data.ts';
import { createSession } from '../session.ts';
import type { Session } from '../session-state.ts';
import { socketTransport } from '../socket-transport.ts';
import { type CreateTrainer, type TrainerHost, trainerHost } from '../trainer-host.ts';
import { type CoppiceDb, openCoppiceDb, openIdbData } from './idb-data.ts';

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
  const secret = await ownSecret(db);
  const backends = options.backends ?? ['webgl', 'wasm', 'cpu'];
  const host = trainerHost(options.createTrainer, backends);
  const predictions = trainerHost(options.createTrainer, backends);
  const openData: OpenLocalData = (task, schema) => openIdbData(db, task, schema);
  const session = createSession({
    transport: socketTransport(options.url, secret),
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

/** Made once in this browser; whoever knows it is this participant, so it is shown to the coordinator only. */
async function ownSecret(db: CoppiceDb): Promise<string> {
  const fresh = bytesToHex(crypto.getRandomValues(new Uint8Array(32)));
  const transaction = db.transaction('keyval', 'readwrite');
  const kept = await transaction.store.get('secret');
  if (typeof kept !== 'string') await transaction.store.put(fresh, 'secret');
  await transaction.done;
  return typeof kept === 'string' ? kept : fresh;
}

export { openCoppiceDb, openIdbData } from './idb-data.ts';
