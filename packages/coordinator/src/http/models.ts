import { type Checkpoint, CoppiceError, type Layout, type Topology } from '@coppice/protocol';
import { type Request, Router } from 'express';
import type { Evaluator } from '../evaluation/evaluator.ts';
import { latestModel } from '../registry/latest-model.ts';
import type { Tasks } from '../registry/tasks.ts';
import type { Admins } from '../security/admins.ts';
import type { Admissions } from '../security/admissions.ts';
import { toBytes } from '../storage/blobs.ts';
import type { Storage } from '../storage/storage.ts';
import { credentialsOf } from './access.ts';
import { json, parameter } from './respond.ts';

/**
 * `/models/<task>/<latest or hash>/`: checkpoints as tfjs LayersModels, for any origin to load. Those of runs
 * that are not open are for admins and tokens with `runs:read`; for others "latest" is chosen among the open ones.
 * The rule for "latest" is in `latest-model.ts`.
 */
export function modelsRouter({
  storage,
  tasks,
  evaluator,
  admins,
  admissions,
}: {
  storage: Storage;
  tasks: Tasks;
  evaluator: Evaluator;
  admins: Admins;
  admissions: Admissions;
}): Router {
  const router = Router();
  const mayAll = async ({ headers, secure }: Request): Promise<boolean> => {
    const actor = await admins.identify(credentialsOf(headers, secure));
    return actor?.scopes.includes('runs:read') ?? false;
  };
  const find = async (request: Request): Promise<Checkpoint> => {
    const version = parameter(request, 'version');
    const task = tasks.get(parameter(request, 'task'));
    const look = async (without: readonly string[]) => {
      if (version === 'latest') return latestModel(storage, task.id, without);
      return /^[0-9a-f]{64}$/.test(version) ? storage.checkpoint(version, without) : null;
    };
    const closed = admissions.closed();
    const open = await look(closed);
    const any = closed.length === 0 ? open : await look([]);
    const found = any !== null && any.hash !== open?.hash && (await mayAll(request)) ? any : open;
    if (found === null && any?.task === task.id) {
      throw new CoppiceError(
        'run-not-admitted',
        'This model is of a run that is not open to everyone. Its participants get it through the client page; admins with a session or a token that has the scope "runs:read".',
      );
    }
    if (found === null || found.task !== task.id) {
      throw new CoppiceError(
        'checkpoint-unknown',
        version === 'latest'
          ? `The task "${task.id}" has no trained model yet: no run of it has committed a round. Launch one and let participants join; after its first round the model is here.`
          : `The task "${task.id}" has no checkpoint ${version}.`,
      );
    }
    return found;
  };
  router.use((_request, response, next) => {
    // Models are for other people's pages too. A browser sends no cookie with what such a page asks for.
    response.set({ 'Access-Control-Allow-Origin': '*', 'Cross-Origin-Resource-Policy': 'cross-origin' });
    next();
  });
  router.get(
    '/:task/:version/model.json',
    json(async (request, response) => {
      const task = tasks.get(parameter(request, 'task'));
      const version = parameter(request, 'version');
      const checkpoint = await find(request);
      const layout = await evaluator.layout(task);
      cache(response, version, admissions.of(checkpoint.run) === 'open');
      // Weights by hash: "latest" may change between this answer and the next request.
      const weights = version === 'latest' ? `../${checkpoint.hash}/weights.bin` : 'weights.bin';
      return layersModel(task.model, layout, { weights, checkpoint });
    }),
  );
  router.get(
    '/:task/:version/weights.bin',
    json(async (request, response) => {
      const version = parameter(request, 'version');
      const checkpoint = await find(request);
      const weights = await storage.weights(checkpoint.hash).catch(async (thrown: unknown) => {
        // Forgotten since it was found: then this says so.
        await find(request);
        throw thrown;
      });
      const bytes = toBytes(weights);
      cache(response, version, admissions.of(checkpoint.run) === 'open');
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

function cache(
  response: { set(field: string, value: string): unknown },
  version: string,
  open: boolean,
): void {
  const kept = version === 'latest' ? 'no-cache' : 'public, max-age=31536000, immutable';
  response.set('Cache-Control', open ? kept : 'private, no-store');
}
