import { parentPort } from 'node:worker_threads';
import { emptyLike } from '@coppice/datasets';
import type { Session, TrainerHost } from '@coppice/participant';
import { createHeadlessParticipant, trainerHost } from '@coppice/participant/node';
import { createTrainer } from '@coppice/training';
import type { ClientsData, ClientsEvent } from './client-messages.ts';
import { dropsOut } from './dropout.ts';

/*
 * Some of the clients: each with its own socket, identity and data, one after the other on this
 * thread's backend.
 */
const tell = (event: ClientsEvent) => parentPort?.postMessage(event);

function examplesOf(rows: Uint32Array, { featureSize, features, labels }: ClientsData) {
  const own = emptyLike(features, rows.length * featureSize);
  const ownLabels = emptyLike(labels, rows.length);
  for (const [to, from] of rows.entries()) {
    own.set(features.subarray(from * featureSize, (from + 1) * featureSize), to * featureSize);
    ownLabels[to] = labels[from] as number;
  }
  return { count: rows.length, features: own, labels: ownLabels };
}

function startClient(index: number, rows: Uint32Array, data: ClientsData, host: TrainerHost): Session {
  const session = createHeadlessParticipant({
    url: data.url,
    identity: `simulated/${data.seed}/${index}`,
    examples: examplesOf(rows, data),
    host,
    backend: data.backend,
    heldOut: data.heldOut,
    dropsOut: (round, attempt) => dropsOut(data, { client: index, round, attempt }),
  });
  let joined = false;
  session.subscribe((state) => {
    if (state.connection === 'refused')
      tell({ kind: 'failed', message: state.error?.message ?? 'The coordinator refused a client.' });
    if (!joined && state.joined !== null && state.activity.kind === 'waiting') {
      joined = true;
      tell({ kind: 'joined', client: index });
    }
  });
  session.connect();
  // Before the first welcome this only says which run is wanted.
  session
    .join(data.run, data.invitation)
    .catch((thrown: unknown) => tell({ kind: 'failed', message: (thrown as Error).message }));
  return session;
}

parentPort?.once('message', (data: ClientsData) => {
  const host = trainerHost(createTrainer, [data.backend]);
  for (const { index, rows } of data.clients) startClient(index, rows, data, host);
});
