import { systemClock, systemRandom } from '@coppice/ports/system';
import { type BackendName, modelKey } from '@coppice/training';
import { coordinatorTime } from '../coordinator-time.ts';
import { httpParcels } from '../http-parcels.ts';
import type { OpenLocalData } from '../local-data.ts';
import { createSession } from '../session.ts';
import type { Session } from '../session-state.ts';
import { socketTransport } from '../socket-transport.ts';
import { type CreateTrainer, type RankBackends, type TrainerHost, trainerHost } from '../trainer-host.ts';
import { httpTasks } from '../watch/http-tasks.ts';
import { openCoppiceDb, openIdbData } from './idb-data.ts';
import { idbParcels, openParcelDb } from './idb-parcels.ts';
import { idbState, openStateDb } from './idb-state.ts';
import { idbInputs, idbMonitors, openWatchDb } from './idb-watch.ts';
import { ownIdentity } from './own-identity.ts';
import { ownSecret } from './own-secret.ts';

export interface BrowserParticipantOptions {
  /** The coordinator's origin. */
  readonly url: string;
  readonly createTrainer: CreateTrainer;
  readonly device: 'browser';
  /** Backends to try, in this order where they are not ranked. */
  readonly backends?: readonly BackendName[];
  /** Ranks the backends for a model by measuring them. */
  readonly rank?: RankBackends;
}

/** A participant in a browser: identity, examples, kept state and frozen tensors of models in IndexedDB, training where `createTrainer` runs. */
export interface BrowserParticipant {
  readonly session: Session;
  readonly openData: OpenLocalData;
  /** A separate trainer for predictions, which need not wait for a round of training. */
  readonly predictions: TrainerHost;
  /** Prefers a backend where it is available; null: the fastest. */
  prefer(backend: BackendName | null): void;
  close(): void;
}

export async function createBrowserParticipant(
  options: BrowserParticipantOptions,
): Promise<BrowserParticipant> {
  const db = await openCoppiceDb(systemRandom);
  const stateDb = openStateDb();
  // A failure is told by the first question that needs the state.
  stateDb.catch(() => {});
  const parcelDb = openParcelDb();
  parcelDb.catch(() => {});
  const watchDb = openWatchDb();
  watchDb.catch(() => {});
  const identity = await ownIdentity(db);
  const splitSecret = await ownSecret(db, systemRandom);
  const backends = options.backends ?? ['planned', 'webgpu', 'webgl', 'wasm', 'cpu'];
  const rank = options.rank === undefined ? null : onceForEachModel(options.rank);
  const host = trainerHost(options.createTrainer, backends, rank);
  const predictions = trainerHost(options.createTrainer, backends, rank);
  const marking = { random: systemRandom, now: () => coordinatorTime(session.state, systemClock) };
  const openData: OpenLocalData = (task, schema) => openIdbData(db, { task, schema, marking });
  const session: Session = createSession({
    transport: socketTransport(options.url, identity),
    parcels: httpParcels(options.url),
    host,
    openData,
    splitSecret,
    localState: idbState(stateDb),
    keptParcels: idbParcels(parcelDb),
    monitoring: {
      source: httpTasks(options.url, { clock: systemClock }),
      kept: idbMonitors(watchDb),
      inputs: idbInputs(watchDb),
    },
    clock: systemClock,
    device: options.device,
    backend: backends[0] as string,
    keepModels: true,
  });
  return {
    session,
    openData,
    predictions,
    prefer(backend) {
      host.prefer(backend);
      predictions.prefer(backend);
    },
    close() {
      // Before the database closes, which the counts are written to.
      const saved = session.save();
      session.close();
      host.dispose();
      predictions.dispose();
      db.close();
      for (const opening of [stateDb, parcelDb, saved.then(() => watchDb)])
        opening.then(
          (opened) => opened.close(),
          () => {},
        );
    },
  };
}

/** Memoizes the ranking by model, so that two hosts, and the same model again after another, measure only once. */
function onceForEachModel(rank: RankBackends): RankBackends {
  const known = new Map<string, ReturnType<RankBackends>>();
  return (description, how) => {
    const key = modelKey(description);
    const measured = known.get(key) ?? rank(description, how);
    known.set(key, measured);
    return measured;
  };
}

export { openCoppiceDb, openIdbData } from './idb-data.ts';
