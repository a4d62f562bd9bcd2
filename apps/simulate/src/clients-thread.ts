import { join } from 'node:path';
import { parentPort } from 'node:worker_threads';
import { emptyLike } from '@coppice/datasets';
import { holdOut, memoryData, type Session, type TrainerHost } from '@coppice/participant';
import { createHeadlessParticipant, headlessSecret, trainerHost } from '@coppice/participant/node';
import { seededRandom } from '@coppice/ports';
import { createTrainer } from '@coppice/training';
import type { ClientMeasure, ClientsData, ClientsEvent, MeasureCommand } from './client-messages.ts';
import { dropsOut, isAway } from './dropout.ts';
import { fileState } from './file-state.ts';
import { slowTransport } from './slow-transport.ts';
import { behaviourOf } from './trace.ts';

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

const nameOf = (data: ClientsData, index: number) => `simulated/${data.seed}/${index}`;

function startClient(index: number, rows: Uint32Array, data: ClientsData, host: TrainerHost): Session {
  const { behaviour, stateDir } = data;
  const session = createHeadlessParticipant({
    url: data.url,
    identity: nameOf(data, index),
    examples: examplesOf(rows, data),
    host,
    backend: data.backend,
    heldOut: data.heldOut,
    dropsOut: (round, attempt) => {
      const asked = { client: index, round, attempt };
      return dropsOut(data, asked) || isAway(data.seed, behaviourOf(behaviour, index + 1, round), asked);
    },
    ...(behaviour.length === 0
      ? {}
      : {
          through: (connection) =>
            slowTransport(connection, (round) => behaviourOf(behaviour, index + 1, round).slowdown),
        }),
    ...(stateDir === null ? {} : { localState: fileState(join(stateDir, `${index + 1}.bin`)) }),
  });
  let joined = false;
  let lastRound: unknown = null;
  const failed = ({ code, message }: { code: string; message: string }) =>
    tell({ kind: 'failed', code, message });
  session.subscribe((state) => {
    if (state.connection === 'refused')
      failed(state.error ?? { code: 'internal', message: 'The coordinator refused a client.' });
    if (!joined && state.joined !== null && state.activity.kind === 'waiting') {
      joined = true;
      tell({ kind: 'joined', client: index });
    }
    if (index === 0 && state.lastRound !== null && state.lastRound !== lastRound) {
      lastRound = state.lastRound;
      tell({ kind: 'round', round: state.lastRound });
    }
  });
  session.connect();
  // Before the first welcome this only says which run is wanted.
  session.join(data.run, data.invitation).catch((thrown: { code?: string; message: string }) => {
    failed({ code: thrown.code ?? 'internal', message: thrown.message });
  });
  return session;
}

/** Measures a model on the examples that each client holds out, or on all of them where it holds out none. */
async function measure(
  data: ClientsData,
  { model, weights, data: schema }: MeasureCommand,
  host: TrainerHost,
): Promise<ClientMeasure[]> {
  const measures: ClientMeasure[] = [];
  for (const { index, rows } of data.clients) {
    const identity = nameOf(data, index);
    // As the participant marks them, so that the same examples are held out.
    const marking = { random: seededRandom('examples', identity), now: () => null };
    const own = await memoryData(schema, examplesOf(rows, data), marking).dataset();
    const { evaluation } = holdOut(own, headlessSecret(identity), { task: data.heldOut, plan: data.heldOut });
    const set = data.heldOut === 0 ? own : evaluation;
    if (set === null || set.count === 0) continue;
    const metrics = await host.use(model, (trainer) => {
      trainer.setWeights(weights);
      return trainer.evaluate(set);
    });
    measures.push({ client: index, metrics });
  }
  return measures;
}

let begun: { data: ClientsData; host: TrainerHost } | null = null;

parentPort?.on('message', async (message: ClientsData | MeasureCommand) => {
  if (message.kind === 'begin') {
    begun = { data: message, host: trainerHost(createTrainer, [message.backend]) };
    if (message.join)
      for (const { index, rows } of message.clients) startClient(index, rows, message, begun.host);
    return;
  }
  try {
    const measures = begun === null ? [] : await measure(begun.data, message, begun.host);
    tell({ kind: 'measured', measures });
  } catch (thrown) {
    tell({ kind: 'failed', code: 'evaluation-failed', message: (thrown as Error).message });
  }
});
