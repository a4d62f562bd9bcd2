import {
  ChannelSchema,
  type Checkpoint,
  CheckpointIdSchema,
  CoppiceError,
  HashSchema,
  type Layout,
  layoutSize,
  type Topology,
} from '@coppice/protocol';
import { type Request, type RequestHandler, type Response, Router } from 'express';
import type { ExportFormat, ModelWorker } from '../model-worker/model-worker.ts';
import { channelModel } from '../registry/channel-model.ts';
import { KeptModels } from '../registry/kept-models.ts';
import { latestModel } from '../registry/latest-model.ts';
import type { Runs } from '../registry/runs.ts';
import type { Tasks } from '../registry/tasks.ts';
import type { Admins } from '../security/admins.ts';
import type { Admissions } from '../security/admissions.ts';
import { taskPlace } from '../security/places.ts';
import { toBytes, toFloat32 } from '../storage/blobs.ts';
import type { Storage } from '../storage/storage.ts';
import type { ShownTicket } from '../watch/answers.ts';
import type { MonitoredTasks } from '../watch/monitored-tasks.ts';
import { credentialsOf } from './access.ts';
import type { Downloads } from './downloads.ts';
import { examplePage } from './example-page.ts';
import { ExportedModels, exportFiles, exportFormats } from './exported-models.ts';
import { type ModelMetadata, modelMetadata } from './model-metadata.ts';
import { ticketPreflight } from './preflight.ts';
import { json, parameter } from './respond.ts';
import { shownBy } from './shown-ticket.ts';

/** A model that a URL names. */
interface Named {
  /** Finds the checkpoint, ignoring the runs in `without`. */
  look(without: readonly string[]): Promise<Checkpoint | null>;
  /** True where the URL names the same weights forever. */
  readonly fixed: boolean;
  /** Folder of the weights, relative to that of `model.json`: empty, or with a slash at its end. */
  folder(checkpoint: Checkpoint): string;
  /** The message for a URL that names nothing. */
  readonly unknown: string;
}

/**
 * Routes of checkpoints as tfjs LayersModels, for any origin (`readable-anywhere.ts`): `/models/<task>/<latest, channel or hash>/` and
 * `/models/<task>/runs/<run>/<latest or round>/`. Those of runs that are not open are for admins and tokens with
 * `runs:read`, and for participants that show a ticket which opens that model (`MonitoredTasks.opens`); without production, the latest of a task is for others chosen among the open runs. `latest-model.ts` has
 * the rule.
 */
export function modelsRouter({
  storage,
  tasks,
  runs,
  models,
  admins,
  admissions,
  downloads,
  monitored,
  origins,
  publicUrl,
  countResponse,
}: {
  storage: Storage;
  tasks: Tasks;
  runs: Pick<Runs, 'originOf'>;
  models: ModelWorker;
  admins: Admins;
  admissions: Admissions;
  downloads: Downloads;
  /** The watches of tasks, whose tickets open models. */
  monitored: Pick<MonitoredTasks, 'opens'>;
  /** Origins whose pages may take part, beside the coordinator's own. */
  origins: readonly string[];
  /** The coordinator's address as others know it; null: the one by which it was asked. */
  publicUrl: string | null;
  /** Counts a response as sent to a participant. */
  countResponse: (participant: string, response: Response) => void;
}): Router {
  const router = Router();
  const exports = new ExportedModels(models);
  /** Weights from storage, one copy for all requests. */
  const kept = new KeptModels<{ payload: Uint8Array }>();
  const mayAll = async ({ headers, secure }: Request): Promise<boolean> => {
    const actor = await admins.identify(credentialsOf(headers, secure));
    return actor?.scopes.includes('runs:read') ?? false;
  };

  const byVersion = (request: Request): Named => {
    const task = tasks.get(parameter(request, 'task')).id;
    const version = parameter(request, 'version');
    if (version === 'latest')
      return {
        look: (without) => latestModel(storage, task, without),
        fixed: false,
        // By hash: "latest" may change between this answer and the next request.
        folder: ({ hash }) => `../${hash}/`,
        unknown: `The task "${task}" has no trained model yet: no run of it has committed a round. Launch one and let participants join; after its first round the model is here.`,
      };
    const channel = ChannelSchema.safeParse(version);
    if (channel.success)
      return {
        look: async (without) => {
          const found = await channelModel(storage, task, channel.data);
          return found === null || without.includes(found.run) ? null : found;
        },
        fixed: false,
        // By hash: the channel may move between this answer and the next request.
        folder: ({ hash }) => `../${hash}/`,
        unknown: `The channel ${channel.data} of the task "${task}" names no checkpoint. An admin releases one on the admin page, or by POST /api/tasks/${task}/releases.`,
      };
    return {
      look: async (without) =>
        /^[0-9a-f]{64}$/.test(version) ? storage.checkpointByHash(task, version, without) : null,
      fixed: true,
      folder: () => '',
      unknown: `The task "${task}" has no checkpoint ${version}.`,
    };
  };
  const byRun = (request: Request): Named => {
    const task = tasks.get(parameter(request, 'task')).id;
    const run = parameter(request, 'run');
    const round = parameter(request, 'round');
    const ofTask = async (without: readonly string[], find: () => Promise<Checkpoint | null>) => {
      const found = without.includes(run) ? null : await find();
      return found?.task === task ? found : null;
    };
    if (round === 'latest')
      return {
        look: (without) => ofTask(without, () => storage.latestOfRun(run)),
        fixed: false,
        folder: (checkpoint) => `../${checkpoint.round}/`,
        unknown: `The task "${task}" has no run ${run} with a trained model: the run has committed no round yet, or there is none. Ask again after its first round.`,
      };
    const id = CheckpointIdSchema.safeParse(`${run}/${round}`);
    return {
      look: async (without) => (id.success ? ofTask(without, () => storage.checkpoint(id.data)) : null),
      fixed: true,
      folder: () => '',
      unknown: `The task "${task}" has no checkpoint ${run}/${round}, or it was deleted.`,
    };
  };

  const unopened = async (shown: ShownTicket, { task, hash }: Checkpoint): Promise<CoppiceError | null> =>
    (await monitored.opens(task, shown, hash))
      ? null
      : new CoppiceError(
          'ticket-invalid',
          'The ticket is not of an open question of this task to this participant about this model, nor of an offer that holds. Take that of the last question, or offer again.',
        );
  /**
   * A model of a run that is not open is for those that its task admits by an invitation or a list. An open task admits everybody:
   * there it is for those that the run admits.
   */
  const refusalOf = (participant: string, { task, run }: Checkpoint): CoppiceError | null => {
    const ofTask = admissions.refusal(participant, taskPlace(task));
    if (ofTask !== null) return ofTask;
    const ofRun = admissions.refusal(participant, run);
    const isListed = admissions.of(taskPlace(task)) !== 'open';
    return ofRun === null || (isListed && ofRun.code === 'run-not-admitted') ? null : ofRun;
  };

  const find = async (
    request: Request,
    response: Response,
    { look, unknown }: Named,
  ): Promise<Checkpoint> => {
    const closed = admissions.closed();
    const open = await look(closed);
    const any = closed.length === 0 ? open : await look([]);
    if (any !== null && any.id !== open?.id) {
      const shown = shownBy(request);
      if (shown !== null) {
        const refusal = refusalOf(shown.participant, any) ?? (await unopened(shown, any));
        if (refusal === null) {
          countResponse(shown.participant, response);
          return any;
        }
        if (open === null) throw refusal;
      } else if (await mayAll(request)) return any;
    }
    if (open !== null) return open;
    if (any === null) throw new CoppiceError('checkpoint-unknown', unknown);
    throw new CoppiceError(
      'run-not-admitted',
      'This model is of a run that is not open to everyone. Its participants get it through the client page; devices that the task admits show the ticket of their question or offer; admins have a session, or a token with the scope "runs:read".',
    );
  };
  const addressOf = ({ protocol, headers }: Request): string =>
    publicUrl?.replace(/\/+$/, '') ?? `${protocol}://${headers.host ?? 'localhost'}`;
  const originOf = ({ run }: Checkpoint) => runs.originOf(run);
  const model = (nameOf: (request: Request) => Named, weights: WeightsForm): RequestHandler =>
    json(async (request, response) => {
      const task = tasks.get(parameter(request, 'task'));
      const named = nameOf(request);
      const checkpoint = await find(request, response, named);
      const layout = await models.layout(task);
      cache(response, named.fixed, admissions.of(checkpoint.run) === 'open');
      const metadata = modelMetadata(task, checkpoint, originOf(checkpoint));
      return layersModel(task.model, layout, { folder: named.folder(checkpoint), weights, metadata });
    });
  /** The weights of a checkpoint that a request names, as bytes of float32. */
  const bytesOf = async (
    request: Request,
    response: Response,
    named: Named,
    hash: string,
  ): Promise<Uint8Array> => {
    const { payload } = await kept
      .get(hash, async () => ({ payload: toBytes(await storage.weights(hash)) }))
      .catch(async (thrown: unknown) => {
        // Forgotten since it was found: then this says so.
        await find(request, response, named);
        throw thrown;
      });
    return payload;
  };
  const weights = (nameOf: (request: Request) => Named): RequestHandler =>
    json(async (request, response) => {
      const named = nameOf(request);
      const checkpoint = await find(request, response, named);
      const { hash } = checkpoint;
      const layout = await models.layout(tasks.get(parameter(request, 'task')));
      cache(response, named.fixed, admissions.of(checkpoint.run) === 'open');
      await downloads.send(request, response, {
        etag: `"${hash}"`,
        size: 4 * layoutSize(layout),
        load: () => bytesOf(request, response, named, hash),
      });
    });
  const exported = (nameOf: (request: Request) => Named, format: ExportFormat): RequestHandler =>
    json(async (request, response) => {
      const task = tasks.get(parameter(request, 'task'));
      const named = nameOf(request);
      const checkpoint = await find(request, response, named);
      cache(response, named.fixed, admissions.of(checkpoint.run) === 'open');
      const metadata = modelMetadata(task, checkpoint, originOf(checkpoint));
      const load = async () => toFloat32(await bytesOf(request, response, named, checkpoint.hash));
      await downloads.sendMade(request, response, exports.download(format, task, checkpoint, metadata, load));
    });

  router.get(
    '/:task/:version/example.html',
    json((request, response) => {
      const { id, data } = tasks.get(parameter(request, 'task'));
      const model = parameter(request, 'version');
      if (!isVersion(model)) throw new CoppiceError('checkpoint-unknown', byVersion(request).unknown);
      const { html, policy } = examplePage(data.kind, { coordinator: addressOf(request), task: id, model });
      response
        .set({ 'Content-Security-Policy': policy, 'Cache-Control': 'no-cache' })
        .type('html')
        .send(html);
    }),
  );
  for (const [path, nameOf] of [
    ['/:task/:version', byVersion],
    ['/:task/runs/:run/:round', byRun],
  ] as const) {
    router.get(`${path}/model.json`, model(nameOf, 'float32'));
    router.get(`${path}/model-float16.json`, model(nameOf, 'float16'));
    for (const format of exportFormats)
      router.get(`${path}/${exportFiles[format]}`, exported(nameOf, format));
    router.get(`${path}/weights.bin`, weights(nameOf));
    router.options(`${path}/:file`, ticketPreflight(origins));
  }
  return router;
}

/** The form of the weights that a `model.json` names: float32, or float16 that tfjs makes float32 of. */
type WeightsForm = 'float32' | 'float16';

/**
 * The content of a tfjs `model.json`.
 *
 * @param of.folder the folder of the weights, relative to this file: empty, or with a slash at its end.
 */
export function layersModel(
  topology: Topology,
  layout: Layout,
  { folder, weights, metadata }: { folder: string; weights: WeightsForm; metadata: ModelMetadata },
) {
  const half = weights === 'float16';
  const quantization = { dtype: 'float16', original_dtype: 'float32' };
  return {
    format: 'layers-model',
    generatedBy: 'Coppice',
    convertedBy: null,
    modelTopology: topology,
    weightsManifest: [
      {
        paths: [`${folder}${half ? exportFiles.float16 : 'weights.bin'}`],
        weights: layout.map(({ name, shape }) => ({
          name,
          shape,
          dtype: 'float32',
          ...(half ? { quantization } : {}),
        })),
      },
    ],
    userDefinedMetadata: { coppice: metadata },
  };
}

/** Whether a text names a model of a task: a channel, `latest`, or the form of a hash. */
function isVersion(text: string): boolean {
  return text === 'latest' || ChannelSchema.safeParse(text).success || HashSchema.safeParse(text).success;
}

function cache(
  response: { set(field: string, value: string): unknown },
  fixed: boolean,
  open: boolean,
): void {
  const kept = fixed ? 'public, max-age=31536000, immutable' : 'no-cache';
  response.set('Cache-Control', open ? kept : 'private, no-store');
}
