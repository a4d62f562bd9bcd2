import {
  ChannelSchema,
  CoppiceError,
  type CreatedTask,
  CreateRunSchema,
  CreateTaskSchema,
  type Info,
  PROTOCOL_VERSION,
  RunActionSchema,
  type TaskInfo,
  warningsOfData,
} from '@coppice/protocol';
import { type Response, Router } from 'express';
import type { ModelWorker } from '../model-worker/model-worker.ts';
import { withData } from '../monitoring/old-events.ts';
import { type Runs, summaryOf } from '../registry/runs.ts';
import type { Tasks } from '../registry/tasks.ts';
import type { WeightsDesk } from '../registry/weights-desk.ts';
import type { Firings } from '../releases/firings.ts';
import type { Releases } from '../releases/releases.ts';
import type { Admins } from '../security/admins.ts';
import type { Admissions } from '../security/admissions.ts';
import type { Storage } from '../storage/storage.ts';
import type { MonitoredTasks } from '../watch/monitored-tasks.ts';
import type { Policies } from '../watch/policies.ts';
import { actorOf, adminOf, originOf } from './access.ts';
import { adminsRouter } from './admins.ts';
import { admissionRouter } from './admission.ts';
import type { Downloads } from './downloads.ts';
import { driftRouter } from './drift.ts';
import { firingsRouter } from './firings.ts';
import { openApiDocument } from './openapi.ts';
import { parcelsRouter } from './parcels.ts';
import { policyRouter } from './policy.ts';
import { protocolDocument } from './protocol-document.ts';
import { releasesRouter } from './releases.ts';
import { json, parameter, parseBody, wholeNumber } from './respond.ts';
import { taskAdmissionRouter } from './task-admission.ts';
import { watchRouter } from './watch.ts';
import { weightsRouter } from './weights.ts';

export interface ApiOptions {
  readonly runs: Runs;
  readonly tasks: Tasks;
  readonly desk: WeightsDesk;
  readonly storage: Storage;
  readonly models: ModelWorker;
  readonly releases: Releases;
  readonly policies: Policies;
  readonly firings: Firings;
  readonly monitored: MonitoredTasks;
  readonly admins: Admins;
  /** URL of the admin page. */
  readonly adminPage: () => string;
  /** URL of the client page. */
  readonly clientPage: () => string;
  readonly admissions: Admissions;
  readonly downloads: Downloads;
  /** Origins whose pages may take part, beside the coordinator's own. */
  readonly origins: readonly string[];
  /** Counts a response as sent to a participant. */
  readonly countResponse: (participant: string, response: Response) => void;
  readonly operator: string;
  readonly version: string;
}

/** The routes of `/api`: JSON, described by `/api/openapi.json`. */
export function apiRouter({
  runs,
  tasks,
  desk,
  storage,
  models,
  releases,
  policies,
  firings,
  monitored,
  admins,
  adminPage,
  clientPage,
  admissions,
  downloads,
  origins,
  countResponse,
  operator,
  version,
}: ApiOptions): Router {
  const router = Router();
  const info: Info = { name: 'Coppice', version, protocol: PROTOCOL_VERSION, operator };

  router.get(
    '/info',
    json(() => info),
  );
  router.get(
    '/openapi.json',
    json(() => openApiDocument(version)),
  );
  router.get(
    '/protocol.json',
    json(() => protocolDocument()),
  );

  router.use(adminsRouter({ admins, storage, adminPage }));
  router.use(admissionRouter({ runs, admins, admissions, clientPage }));
  router.use(weightsRouter({ desk, admins }));
  router.use(driftRouter({ tasks, storage }));
  router.use(taskAdmissionRouter({ tasks, admins, admissions }));
  router.use(releasesRouter({ releases, admins }));
  router.use(policyRouter({ policies, admins }));
  router.use(firingsRouter({ firings, admins }));
  router.use(watchRouter({ monitored, downloads }));
  router.use(parcelsRouter({ runs, admissions, origins, countResponse, downloads }));

  router.get(
    '/tasks',
    json((): Promise<TaskInfo[]> => Promise.all(tasks.all().map((task) => tasks.info(task)))),
  );
  router.get(
    '/tasks/:task',
    json((request) => tasks.get(parameter(request, 'task'))),
  );
  router.post(
    '/tasks',
    json(async (request) => {
      const task = await tasks.create(parseBody(CreateTaskSchema, request.body, 'task-invalid'));
      await admins.record(adminOf(request), 'task-added', originOf(request), { target: task.id });
      return { ...(await tasks.info(task)), warnings: warningsOfData(task.data) } satisfies CreatedTask;
    }, 201),
  );
  router.get(
    '/tasks/:task/samples',
    json(async (request, response) => {
      const task = tasks.get(parameter(request, 'task'));
      if (!task.samples)
        throw new CoppiceError('not-found', `The coordinator has no sample data for the task "${task.id}".`);
      const of = wholeNumber(request.query.of, 'of', 1, 10_000);
      const share = wholeNumber(request.query.share, 'share', 0, of - 1);
      const bytes = await models.samples(task.id, share, of);
      response
        .type('application/octet-stream')
        .set('Cache-Control', 'no-store')
        .send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    }),
  );

  router.get(
    '/runs',
    json((request) =>
      actorOf(request)?.scopes.includes('runs:read')
        ? runs.all()
        : runs.all().map((run) => summaryOf(run, false)),
    ),
  );
  router.post(
    '/runs',
    json(async (request) => {
      const {
        task,
        plan,
        start,
        admission,
        from: origin,
        secret,
      } = parseBody(CreateRunSchema, request.body, 'plan-invalid');
      const channel = ChannelSchema.safeParse(origin);
      const from = channel.success ? await releases.checkpointOf(task, channel.data) : origin;
      const actor = adminOf(request);
      const cause = { by: 'admin', name: actor.name } as const;
      const run = await runs.create(task, definedOnly(plan), start, {
        admission,
        from,
        cause,
        ...(secret === undefined ? {} : { secret }),
      });
      await admins.record(actor, 'run-launched', originOf(request), {
        target: run.id,
        detail: [admission === 'open' ? '' : admission, from === null ? '' : `from ${from}`]
          .filter(Boolean)
          .join(' '),
      });
      return run;
    }, 201),
  );
  router.get(
    '/runs/:run',
    json((request) => runs.get(parameter(request, 'run'))),
  );
  // Public: what a run does with an update is what people read before they agree.
  router.get(
    '/runs/:run/plan',
    json((request) => runs.get(parameter(request, 'run')).plan),
  );
  router.get(
    '/runs/:run/rounds',
    json((request) => storage.rounds(runs.get(parameter(request, 'run')).id)),
  );
  router.get(
    '/runs/:run/checkpoints',
    json((request) => storage.checkpoints(runs.get(parameter(request, 'run')).id)),
  );
  router.get(
    '/runs/:run/participants',
    json((request) => {
      const { id } = runs.get(parameter(request, 'run'));
      return [...runs.engines()].find((engine) => engine.id === id)?.participants() ?? [];
    }),
  );
  router.post(
    '/runs/:run/:action',
    json(async (request) => {
      const action = RunActionSchema.safeParse(parameter(request, 'action'));
      if (!action.success)
        throw new CoppiceError('not-found', `There is no action "${parameter(request, 'action')}" on a run.`);
      const run = await runs.act(parameter(request, 'run'), action.data);
      await admins.record(adminOf(request), `run-${action.data}`, originOf(request), { target: run.id });
      return run;
    }),
  );

  router.get(
    '/events',
    json(async (request) => {
      const { run, after, before } = request.query;
      if (after !== undefined && before !== undefined)
        throw new CoppiceError(
          'body-invalid',
          'The query parameters "after" and "before" read the log in opposite directions: give one of them.',
        );
      const events = await storage.events({
        ...(typeof run === 'string' ? { run } : {}),
        ...(after === undefined ? {} : { after: wholeNumber(after, 'after', 0, Number.MAX_SAFE_INTEGER) }),
        ...(before === undefined
          ? {}
          : { before: wholeNumber(before, 'before', 0, Number.MAX_SAFE_INTEGER) }),
      });
      return events.map(withData);
    }),
  );

  router.use(() => {
    throw new CoppiceError(
      'not-found',
      'There is nothing at this address. /api/openapi.json lists what there is.',
    );
  });
  return router;
}

/** Removes fields whose value is undefined, which count as left out. */
function definedOnly<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
