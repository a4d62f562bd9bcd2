import { type Checkpoint, CoppiceError, type Layout, type Topology } from '@coppice/protocol';
import { Router } from 'express';
import type { Evaluator } from '../evaluation/evaluator.ts';
import type { Tasks } from '../registry/tasks.ts';
import { toBytes } from '../storage/blobs.ts';
import type { Storage } from '../storage/storage.ts';
import { json, parameter } from './respond.ts';

/** `/models/<task>/<latest or hash>/`: checkpoints as tfjs LayersModels, for any origin to load. */
export function modelsRouter({
  storage,
  tasks,
  evaluator,
}: {
  storage: Storage;
  tasks: Tasks;
  evaluator: Evaluator;
}): Router {
  const router = Router();
  const find = async (taskId: string, version: string): Promise<Checkpoint> => {
    const task = tasks.get(taskId);
    const found =
      version === 'latest'
        ? await storage.latestOfTask(task.id)
        : /^[0-9a-f]{64}$/.test(version)
          ? await storage.checkpoint(version)
          : null;
    if (found === null || found.task !== task.id) {
      throw new CoppiceError(
        'checkpoint-unknown',
        version === 'latest'
          ? `The task "${task.id}" has no model yet: launch a run first.`
          : `The task "${task.id}" has no checkpoint ${version}.`,
      );
    }
    return found;
  };
  router.use((_request, response, next) => {
    // Models are for other people's pages too; no credentials are involved.
    response.set({ 'Access-Control-Allow-Origin': '*', 'Cross-Origin-Resource-Policy': 'cross-origin' });
    next();
  });
  router.get(
    '/:task/:version/model.json',
    json(async (request, response) => {
      const task = tasks.get(parameter(request, 'task'));
      const version = parameter(request, 'version');
      const checkpoint = await find(task.id, version);
      const { layout } = await evaluator.describe(task, 1);
      cache(response, version);
      // Weights by hash: "latest" may change between this answer and the next request.
      const weights = version === 'latest' ? `../${checkpoint.hash}/weights.bin` : 'weights.bin';
      return layersModel(task.model, layout, { weights, checkpoint });
    }),
  );
  router.get(
    '/:task/:version/weights.bin',
    json(async (request, response) => {
      const version = parameter(request, 'version');
      const checkpoint = await find(parameter(request, 'task'), version);
      const weights = await storage.weights(checkpoint.hash).catch(async (thrown: unknown) => {
        // Forgotten since it was found: then this says so.
        await find(parameter(request, 'task'), version);
        throw thrown;
      });
      const bytes = toBytes(weights);
      cache(response, version);
      response
        .type('application/octet-stream')
        .send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    }),
  );
  return router;
}

/** The content of a tfjs `model.json`. */
export function layersModel(
  topology: Topology,
  layout: Layout,
  { weights, checkpoint }: { weights: string; checkpoint: Checkpoint },
) {
  return {
    format: 'layers-model',
    generatedBy: 'Coppice',
    convertedBy: null,
    modelTopology: topology,
    weightsManifest: [
      { paths: [weights], weights: layout.map(({ name, shape }) => ({ name, shape, dtype: 'float32' })) },
    ],
    userDefinedMetadata: {
      coppice: {
        checkpoint: checkpoint.hash,
        run: checkpoint.run,
        round: checkpoint.round,
        central: checkpoint.central,
      },
    },
  };
}

function cache(response: { set(field: string, value: string): unknown }, version: string): void {
  response.set('Cache-Control', version === 'latest' ? 'no-cache' : 'public, max-age=31536000, immutable');
}
